"""`./doxie bench outages`: each store away for minutes, under load; what is promised meanwhile and after."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.settings import get_settings
from tests.bench.stack import running
from tests.torture import cluster, faults
from tests.torture.run import Result, Size, torture

STORES = {"postgres": 30.0, "redis": 600.0, "s3": 600.0, "prefect": 600.0}
"""Who is away, and for how many seconds."""
SEED = 1


def main(arguments: list[str]) -> None:
    """Let them be away one after another, and print what that did; exit code 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="doxie bench outages", description=__doc__)
    parser.add_argument("stores", nargs="*", metavar="store", help=f"of {', '.join(STORES)}; else all of them")
    parser.add_argument("--seconds", type=float, help="for how long, instead of 30 s (Postgres) and 600 s (others)")
    parser.add_argument("--keep", type=Path, help="a directory for the logs, instead of one that is removed")
    given = parser.parse_args(arguments)
    if unknown := set(given.stores) - STORES.keys():
        parser.error(f"no store: {', '.join(sorted(unknown))}")
    table = Table(
        "away", "for s", "saves/s before", "meanwhile", "told unsaved after s", "all persisted s after", "lost"
    )
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="doxie-outages-") as made:
        home = given.keep or Path(made)
        home.mkdir(parents=True, exist_ok=True)
        with running(home, cluster.SERVICES):
            for store in given.stores or STORES:
                seconds = given.seconds or STORES[store]
                print(f"{store} is away for {seconds:.0f} s", flush=True)
                plan = faults.outage(store, seconds)
                result = asyncio.run(
                    torture(get_settings(), home / "logs" / store, plan, seed=SEED, size=Size(20, pause=2.0))
                )
                table.add_row(store, f"{seconds:.0f}", *_cells(result, seconds))
                wrong += [f"{store}: {line}" for line in [*result.wrong, *broken(store, result, seconds)]]
    Console(width=140).print(table)
    for line in wrong[:50]:
        print(f"WRONG: {line}")
    sys.exit(bool(wrong))


def _cells(result: Result, seconds: float) -> list[str]:
    before, meanwhile = rates(result, seconds)
    drained = "never" if result.drained is None else f"{result.drained:.1f}"
    told = f"{len(result.told)} times, {max(result.told):.2f} at most" if result.told else "–"
    return [f"{before:.0f}", f"{meanwhile:.0f}", told, drained, str(result.lost)]


def broken(store: str, result: Result, seconds: float) -> list[str]:
    """What was promised for the time of the outage and not kept."""
    if store == "postgres":
        editors = result.size.documents * result.size.editors
        told = len(result.told)
        return [] if told >= editors else [f"{told} times told that nothing is saved, to {editors} editors"]
    before, meanwhile = rates(result, seconds)
    return [] if meanwhile > before / 4 else [f"{before:.0f} edits/s were saved before, {meanwhile:.0f} meanwhile"]


def rates(result: Result, seconds: float) -> tuple[float, float]:
    """How many edits a second were acknowledged before the outage, and during it."""
    began = result.hits[0].at
    before = sum(moment < began for moment in result.promises)
    meanwhile = sum(began <= moment < began + seconds for moment in result.promises)
    return before / began, meanwhile / seconds
