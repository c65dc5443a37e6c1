"""`./doxie bench bugs [NUMBER …]`: put each bug into a copy of the repository, and see its tests fail there."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.bugs.seeded import BUGS, Bug

ROOT: Final = Path(__file__).parents[2]
_FOUND: Final = 1
"""How pytest ends when tests fail; everything else, like an error of its own, finds nothing."""


def main(arguments: list[str]) -> None:
    """Exit code 1 if a bug is found by none of its tests."""
    console, missed = Console(), 0
    with tempfile.TemporaryDirectory(prefix="doxie-bugs-") as directory:
        copy = Path(directory) / "doxie"
        tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
        for name in filter(None, tracked.stdout.split("\0")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
        for number, bug in enumerate(BUGS):
            if arguments and str(number) not in arguments:
                continue
            failed = _try(copy, bug)
            missed += not failed
            verdict = f"[green]found[/] by {failed}" if failed else "[red]MISSED[/]"
            console.print(f"{number:2} {bug.name}: {verdict}", highlight=False, soft_wrap=True)
    sys.exit(1 if missed else 0)


def _try(copy: Path, bug: Bug) -> str:
    """The first test that fails with the bug; empty if none does."""
    file = copy / bug.file
    right = file.read_text()
    file.write_text(right.replace(bug.right, bug.wrong, 1))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--color=no", *bug.tests]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    finally:
        file.write_text(right)
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return failed[0] if done.returncode == _FOUND and failed else ""


if __name__ == "__main__":
    main(sys.argv[1:])
