"""Find and end what a dead process left running, however it detached itself.

Every service gets variables into its environment that name its home, its run and itself; all its
descendants inherit them. So Prefect's flow runs, which are sessions of their own, are found, too.

Run as a script (`orphans.py RUN`), this is the guard: it waits until its standard input closes,
which is when the supervisor ends in whatever way, and then ends what is left of that run. The
standard library is all it needs.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

HOME = "DOXIE_STACK_HOME"
RUN = "DOXIE_STACK_RUN"
SERVICE = "DOXIE_STACK_SERVICE"

GRACE_SECONDS = 1.0
"""For those that were told to end already, such as Postgres by its parent-death signal."""
KILL_SECONDS = 5.0


def find(marks: Mapping[str, str]) -> Iterator[int]:
    """The processes (but this one) whose environment carries all the marks."""
    wanted = {f"{name}={value}".encode() for name, value in marks.items()}
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        if pid != os.getpid() and wanted <= _environment(entry):
            yield pid


def running(program: Path, directory: Path) -> Iterator[int]:
    """The processes that run a program in a directory.

    For programs whose processes carry no marks: Postgres writes its titles where their environment was.
    """
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it is gone, or somebody else's
            if (entry / "exe").readlink() == program and (entry / "cwd").readlink() == directory:
                yield int(entry.name)


def end(marks: Mapping[str, str], *, grace: float = 0.0) -> bool:
    """Wait for the marked processes to go, kill those that don't; true when none is left."""
    return end_these(lambda: find(marks), grace=grace)


def end_these(find_them: Callable[[], Iterable[int]], *, grace: float = 0.0) -> bool:
    """The same for those that are found."""
    if _gone(find_them, grace):
        return True
    for pid in find_them():
        _kill(pid)
    return _gone(find_them, KILL_SECONDS)


def _environment(entry: Path) -> set[bytes]:
    try:
        return set((entry / "environ").read_bytes().split(b"\0"))
    except OSError:  # it is gone, or somebody else's
        return set()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _gone(find_them: Callable[[], Iterable[int]], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(find_them()):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _guard(run: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end({RUN: run}, grace=GRACE_SECONDS)


if __name__ == "__main__":
    _guard(sys.argv[1])
