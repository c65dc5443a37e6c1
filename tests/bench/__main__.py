"""`./doxie bench [NAME]`: run the benchmarks, print tables, and keep the numbers as JSON."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console

from tests.bench import accept
from tests.bench.report import Report
from tests.bench.stack import running

BENCHMARKS: dict[str, Callable[[], Awaitable[Report]]] = {"accept": accept.run}


async def main(names: list[str]) -> None:
    """Run benchmarks by name, all without one."""
    console = Console()
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise SystemExit(f"unknown benchmark {', '.join(unknown)}: {', '.join(BENCHMARKS)}")
    with tempfile.TemporaryDirectory(prefix="doxie-bench-") as home, running(Path(home)):
        reports = {name: await BENCHMARKS[name]() for name in names or BENCHMARKS}
    for report in reports.values():
        console.print(report.table())
    print(json.dumps({name: report.rows for name, report in reports.items()}, indent=1))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
