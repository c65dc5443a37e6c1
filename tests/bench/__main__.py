"""`./doxie bench [--quick] [NAME]`: run the benchmarks, print tables, and keep the numbers as JSON.

`./doxie bench torture …`, `outages …`, `fuzz …` and `bugs …` are commands of their own: tests/torture, tests/fuzz,
tests/bugs.
`./doxie bench sizing` makes the sizing guide of what was measured before.
"""

import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console

from tests.bench import accept, api, collab, identity, pipeline, sizing, storage
from tests.bench.report import Report
from tests.bench.stack import running
from tests.bugs import __main__ as bugs
from tests.fuzz import __main__ as fuzz
from tests.torture import __main__ as torture
from tests.torture import outages


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is measured, and the part of the stack that runs meanwhile: all of it, where nothing is named."""

    run: Callable[[bool], Awaitable[Report]]
    services: Sequence[str] = ()


BENCHMARKS = {
    "accept": Benchmark(lambda quick: accept.run(quick=quick)),
    "api": Benchmark(lambda quick: api.run(quick=quick), api.SERVICES),
    "pipeline": Benchmark(pipeline.run, pipeline.SERVICES),
    "storage": Benchmark(storage.run, ("redis",)),
    "collab": Benchmark(lambda quick: collab.measure(quick=quick), collab.SERVICES),
    "identity": Benchmark(lambda quick: identity.run(quick=quick), identity.SERVICES),
}
COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "torture": torture.main,
    "outages": outages.main,
    "fuzz": fuzz.main,
    "bugs": bugs.main,
}


def main(arguments: list[str]) -> None:
    """Run benchmarks by name, all without one; `--quick` measures less, and less surely."""
    if arguments == ["sizing"]:
        sizing.main()
        return
    if arguments[:1] and (command := COMMANDS.get(arguments[0])):
        command(arguments[1:])
        return
    quick = "--quick" in arguments
    names = [argument for argument in arguments if argument != "--quick"]
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise SystemExit(f"unknown benchmark {', '.join(unknown)}: {', '.join(BENCHMARKS)}")
    reports: dict[str, Report] = {}
    for name in names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        with tempfile.TemporaryDirectory(prefix="doxie-bench-") as home, running(Path(home), benchmark.services):
            reports[name] = uvloop.run(_run(benchmark, quick=quick))
        Console().print(reports[name].table())
    print(json.dumps({name: report.rows for name, report in reports.items()}, indent=1, ensure_ascii=False))


async def _run(benchmark: Benchmark, *, quick: bool) -> Report:
    return await benchmark.run(quick)


if __name__ == "__main__":
    main(sys.argv[1:])
