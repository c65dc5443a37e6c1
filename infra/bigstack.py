"""Calls into a library that nests deeply, panics, and on some input reads memory that is not its own.

Yjs types nest, the library recurses, and 26 000 nested arrays (53 KB) overflow the 8 MB a thread has by default. With
256 MiB half a million levels pass, which is more than fits into the largest update that is accepted. Some sequences of
updates end the process whatever the stack. So `run` calls a function in a child, forked from a thread with the deep
stack: what it crashes is the child, what it allocates is gone afterwards, and it holds nobody's interpreter lock.
"""

import asyncio
import builtins
import ctypes
import gc
import io
import mmap
import os
import pickle
import resource
import select
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

STACK_BYTES: Final = 256 * 1024 * 1024
MEMORY_BYTES: Final = 4 * 1024 * 1024 * 1024
"""Address space a child may add to what it inherits."""
SECONDS: Final = 120.0
AT_ONCE: Final = 2
_PR_SET_PDEATHSIG: Final = 1
_LENGTH: Final = struct.Struct("=BQ")
_NOTE: Final = struct.Struct("=Q")
_SAFE: Final = {
    "builtins": {"set", "frozenset", "bytearray", "complex", "slice", "range"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "uuid": {"UUID"},
    "decimal": {"Decimal"},
    "collections": {"Counter", "OrderedDict", "deque", "defaultdict"},
}

_lock = threading.Lock()
_board: mmap.mmap | None = None


class Poisoned(RuntimeError):
    """What was given to the library made it fail, or ended its process. `index` is what `note` was told last, or -1."""

    def __init__(self, index: int, error: str) -> None:
        super().__init__(f"update {index} does not apply: {error}")
        self.index = index
        self.error = error


def note(what: int) -> None:
    """Say what is being worked on, so that it is known after a crash; -1 when it is done."""
    if _board is not None:
        _NOTE.pack_into(_board, 0, what + 1)


def start_thread(target: Callable[[], object], name: str) -> threading.Thread:
    """A started thread with the deep stack."""
    with _lock:
        before = threading.stack_size(STACK_BYTES)
        try:
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    return thread


class _DeepPool(ThreadPoolExecutor):
    """A pool of such threads."""

    def _adjust_thread_count(self) -> None:
        with _lock:
            before = threading.stack_size(STACK_BYTES)
            try:
                super()._adjust_thread_count()
            finally:
                threading.stack_size(before)


_pool = _DeepPool(max_workers=AT_ONCE, thread_name_prefix="yjs")


async def run(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function that handles Yjs data returns or raises; its effects are lost, except for files.

    Its result must be made of plain values and of classes of `models`.

    Raises:
        Poisoned: it ended its process, or took too long.
    """
    return await asyncio.get_running_loop().run_in_executor(_pool, _in_child, lambda: call(*args, **kwargs))


def _in_child(call: Callable[[], T]) -> T:
    board = mmap.mmap(-1, mmap.PAGESIZE)
    answer, reply = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(call, board, reply)
    os.close(reply)
    try:
        data = _read(answer, child)
    finally:
        os.close(answer)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    if len(data) < _LENGTH.size or len(data) - _LENGTH.size != _LENGTH.unpack_from(data)[1]:
        raise Poisoned(_NOTE.unpack_from(board)[0] - 1, "the process handling it died")
    value = _Unpickler(io.BytesIO(data[_LENGTH.size :])).load()
    if data[0]:
        return value  # type: ignore[no-any-return]  # what `call` returned
    kind, args, fields = value
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    raise error


def _be_child(call: Callable[[], object], board: mmap.mmap, reply: int) -> NoReturn:
    global _board  # noqa: PLW0603 - this process has one note
    try:
        gc.disable()  # nothing of the parent's may be finalized here: its connections are shared
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _limit_memory()
        _board = board
        _write(reply, _outcome(call))
    finally:
        os._exit(0)


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/self/statm") as statm:
        now = int(statm.read().split()[0]) * mmap.PAGESIZE
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY_BYTES, now + MEMORY_BYTES))


def _outcome(call: Callable[[], object]) -> bytes:
    """Whether it went well (1) or not (0), and what came of it."""
    try:
        went, value = 1, pickle.dumps(call(), pickle.HIGHEST_PROTOCOL)
    except BaseException as error:
        went, value = 0, _error(error)
    return _LENGTH.pack(went, len(value)) + value


def _error(error: BaseException) -> bytes:
    try:
        return pickle.dumps((type(error), error.args, error.__dict__), pickle.HIGHEST_PROTOCOL)
    except Exception:  # its class cannot be imported, as that of a panic, or it holds what cannot be copied
        return pickle.dumps((RuntimeError, (f"{type(error).__name__}: {error}",), {}), pickle.HIGHEST_PROTOCOL)


def _write(where: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(where, view) :]


def _read(where: int, child: int) -> bytes:
    until = time.monotonic() + SECONDS
    parts: list[bytes] = []
    poll = select.poll()
    poll.register(where, select.POLLIN)
    while True:
        if not poll.poll(max(until - time.monotonic(), 0) * 1000):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            return b""
        if not (part := os.read(where, 1 << 20)):
            return b"".join(parts)
        parts.append(part)


class _Unpickler(pickle.Unpickler):
    """Reads what a child says; it may have been taken over by what it was fed."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name) if self._trusted(module, name) else None
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is not expected here")
        return found

    @staticmethod
    def _trusted(module: str, name: str) -> bool:
        if module.startswith("models.") or (module, name) == (__name__, "Poisoned"):
            return True
        kind = getattr(builtins, name, None) if module == "builtins" else None
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return True
        return name in _SAFE.get(module, ())
