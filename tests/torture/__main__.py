"""`./doxie bench torture`: a torture run on a stack of its own, and its report page."""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.settings import get_settings
from tests.bench.stack import running
from tests.torture import cluster, faults, page
from tests.torture.run import Result, Size, torture


def main(arguments: list[str]) -> None:
    """Run it, print what it has shown, write the page; exit code 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="doxie bench torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31), help="the same plan again")
    parser.add_argument("--pace", type=float, default=1.5, help="seconds between two faults, on average")
    usual = Size()
    parser.add_argument("--documents", type=int, default=usual.documents)
    parser.add_argument("--editors", type=int, default=usual.editors, help="of each document, beside two autosaves")
    parser.add_argument("--pause", type=float, default=usual.pause, help="seconds between two edits of a writer")
    parser.add_argument("--report", type=Path, default=Path("torture.html"), help="where the page is written")
    parser.add_argument("--keep", type=Path, help="a directory for the logs, instead of one that is removed")
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}, {given.kills} kills", flush=True)
    size = Size(given.documents, given.editors, given.pause)
    with tempfile.TemporaryDirectory(prefix="doxie-torture-") as made:
        home = given.keep or Path(made)
        home.mkdir(parents=True, exist_ok=True)
        with running(home, cluster.SERVICES):
            settings = get_settings()
            plan = faults.plan(given.seed, given.kills, given.pace)
            again = f"./doxie bench torture --seed {given.seed} --kills {given.kills}"
            work = torture(settings, home / "logs", plan, seed=given.seed, again=again, size=size)
            result = asyncio.run(work)
    given.report.write_text(page.page(result))
    _show(result)
    print(f"report: {given.report.resolve()}")
    sys.exit(bool(result.wrong))


def _show(result: Result) -> None:
    kills = sum(hit.fault.kind == "kill" for hit in result.hits)
    table = Table("fault", "times", "longest s", title="Until it is well again")
    for name, count, seconds in page.recoveries(result.hits):
        table.add_row(name, str(count), f"{max(seconds):.1f}" if seconds else "–")
    Console().print(table)
    print(f"seed {result.seed}: {kills} kills, {len(result.hits) - kills} other faults in {result.seconds:.0f} s")
    print(f"{result.acknowledged:,} edits acknowledged, {result.lost} lost; {result.updates:,} updates in the journal")
    print(f"longest without an acknowledgement: {page.longest_silence(result.promises):.1f} s")
    for line in result.wrong[:50]:
        print(f"WRONG: {line}")


if __name__ == "__main__":
    main(sys.argv[1:])
