"""`./doxie bench collab`: Doxie's WebSocket door beside the Yjs servers of npm, in one run with one driver."""

import sys

from tests.bench.collab import page, run
from tests.bench.report import Report

SERVICES = run.SERVICES


async def measure(*, quick: bool) -> Report:
    """Compare the servers; only a thorough comparison goes into the documentation."""
    effort = run.QUICK if quick else run.THOROUGH
    measured = await run.compare(effort)
    if not quick:
        for path in page.publish(measured, run.circumstances()):
            print(f"written: {path}", file=sys.stderr)
    return page.report(measured)
