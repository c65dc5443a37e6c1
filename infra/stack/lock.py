"""One supervisor for each home: a lock that the kernel drops when its holder dies."""

import fcntl
import os
import time

from infra.stack.errors import StackError
from infra.stack.home import Home

PROBE_SECONDS = 0.2
"""`holder` takes the lock for an instant; a supervisor waits that out."""


def acquire(home: Home) -> int:
    """Lock the home for this process; the lock lasts as long as the returned descriptor.

    Raises:
        StackError: another supervisor holds it.
    """
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + PROBE_SECONDS
    while not _taken(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            pid = _pid(descriptor)
            os.close(descriptor)
            raise StackError(f"already running in {home.root} (pid {pid}): stop it with `./doxie down`")
        time.sleep(0.01)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def release(descriptor: int) -> None:
    """Give the home up; the file names nobody from now on."""
    os.ftruncate(descriptor, 0)
    os.close(descriptor)


def holder(home: Home) -> int | None:
    """The process id of the supervisor that holds the home, if one does."""
    try:
        descriptor = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        while not _taken(descriptor, fcntl.LOCK_SH):
            if pid := _pid(descriptor):
                return pid
            time.sleep(0.01)  # it has the lock, and is about to write who it is
        return None
    finally:
        os.close(descriptor)


def _taken(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(descriptor: int) -> int:
    return int(os.pread(descriptor, 32, 0) or b"0")
