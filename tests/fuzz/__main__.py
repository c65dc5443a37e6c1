"""`./doxie bench fuzz`: coverage-guided fuzzing of the parsers; what is found makes exit code 1, and is kept.

Each target runs in a process of its own, because libFuzzer ends the one it runs in. A run goes on from what the runs
before have kept, in `tests/fuzz/corpus`. A finding becomes a file in `tests/fuzz/findings`; `test_corpus` replays it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz import NAMES, corpus

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


def main(arguments: list[str]) -> None:
    """Fuzz the named targets, or all, one after the other."""
    parser = argparse.ArgumentParser(prog="doxie bench fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*NAMES, []], help="by default all")
    parser.add_argument("--minutes", type=float, default=10, help="of each target")
    given = parser.parse_args(arguments)
    _install()
    bad = [name for name in given.targets or NAMES if _run(name, given.minutes)]
    print("nothing found" if not bad else f"found something in: {', '.join(bad)}; see {corpus.FINDINGS}")
    sys.exit(bool(bad))


def _install() -> None:
    """Atheris is large and nobody else needs it, so it comes on first use."""
    uv = Path(sys.executable).parent / "uv"
    options = ["--frozen", "--project", str(ROOT), "--group", "fuzz", "--inexact", "--quiet"]
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(Path(sys.executable).parents[1])}
    subprocess.run([uv, "sync", *options], check=True, env=environment)


def _run(name: str, minutes: float) -> bool:
    """Fuzz one target, then keep every input that covered something new; whether anything was found."""
    print(f"{name}: {minutes:g} min", flush=True)
    with tempfile.TemporaryDirectory(prefix="doxie-fuzz-") as made:
        tried = Path(made)
        for number, data in enumerate(corpus.read(name)):
            (tried / f"kept-{number}").write_bytes(data)
        options = [f"-max_total_time={int(minutes * 60)}", "-print_final_stats=1"]
        command = [sys.executable, "-m", "tests.fuzz.child", name, str(tried), *options]
        done = subprocess.run(command, cwd=ROOT, check=False)
        corpus.write(name, sorted({path.read_bytes() for path in tried.iterdir()}))
    return done.returncode != 0


if __name__ == "__main__":
    main(sys.argv[1:])
