"""A process of its own for code that may take its process down: a library that reads foreign memory, say.

It has a socket to whoever started it and nothing else: no files, no stores, a limit on memory. What it works on it
writes on a note in shared memory, so that after a crash one knows what was at fault.
"""

import asyncio
import mmap
import os
import socket
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from infra.caged import LENGTH, NOTE, NOTE_BYTES

LARGE: Final = 64 * 1024


class CageBroken(Exception):
    """The process has died or had to be ended; `note` is what it worked on, 0 for nothing."""

    def __init__(self, note: int, reason: str) -> None:
        super().__init__(f"{reason}, at {note}")
        self.note = note
        self.reason = reason


class Cage(asyncio.Protocol):
    """One such process, running a module that calls `infra.caged.serve`. Once broken it stays so."""

    def __init__(self, module: str, *, memory: int, patience: float) -> None:
        """`memory` is the limit of its address space in bytes (0: none), `patience` seconds per request."""
        self._module = module
        self._memory = memory
        self._patience = patience
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._received = bytearray()
        self._answered_at = 0.0
        """When the last answer came, or the first question after a pause."""
        self._watch: asyncio.TimerHandle | None = None
        self._reason = ""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def note(self) -> int:
        """What it works on."""
        return int(NOTE.unpack_from(self._board)[0])

    async def start(self) -> "Cage":
        """Start the process."""
        ours, theirs = socket.socketpair()
        board = os.memfd_create("note")
        os.truncate(board, NOTE_BYTES)
        self._board = mmap.mmap(board, NOTE_BYTES)
        try:
            arguments = [str(number) for number in (theirs.fileno(), board, self._memory)]
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # the same code as here, wherever this was started
                "-m",
                self._module,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), board),
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.environ.get("PATH", "")},
            )
        finally:
            theirs.close()
            os.close(board)
        self._loop = asyncio.get_running_loop()
        self._transport, _ = await self._loop.create_unix_connection(lambda: self, sock=ours)
        return self

    async def ask(self, request: Sequence[bytes]) -> bytes:
        """The answer to a request, given in parts; requests are answered in order.

        Raises:
            CageBroken: there is no answer.
        """
        if self._reason:
            raise CageBroken(0, self._reason)
        answer: asyncio.Future[bytes] = self._loop.create_future()
        if not self._waiting:
            self._answered_at = self._loop.time()
        self._waiting.append(answer)
        if self._watch is None:
            self._watch = self._loop.call_later(self._patience, self._look)
        size = sum(map(len, request))
        if size < LARGE:
            self._transport.write(b"".join((LENGTH.pack(size), *request)))
        else:
            self._transport.writelines((LENGTH.pack(size), *request))  # megabytes are not copied once more
        return await answer

    def end(self) -> None:
        """End the process; what was asked is not answered."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def ended(self) -> None:
        """End the process, and wait until it is gone."""
        self._break("ended")
        if self._process is not None:
            await self._process.wait()

    # --- asyncio.Protocol ---

    def data_received(self, data: bytes) -> None:
        """Something of an answer, or of several."""
        received = self._received
        received += data
        start, end = 0, LENGTH.size
        while end <= len(received):
            size = int(LENGTH.unpack_from(received, start)[0])
            if end + size > len(received):
                break
            self._answer(bytes(received[end : end + size]))
            start, end = end + size, end + size + LENGTH.size
        del received[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        """The process is gone."""
        self._break("it died")

    def _answer(self, answer: bytes) -> None:
        self._answered_at = self._loop.time()
        waiting = self._waiting.popleft()
        if not waiting.done():
            waiting.set_result(answer)

    def _look(self) -> None:
        """Whether an answer is overdue; one timer for all questions, since most are answered at once."""
        left = self._answered_at + self._patience - self._loop.time()
        if not self._waiting:
            self._watch = None
        elif left > 0:
            self._watch = self._loop.call_later(left, self._look)
        else:
            self._break(f"no answer within {self._patience} s")

    def _break(self, reason: str) -> None:
        if self._reason:
            return
        self._reason = reason
        note = self.note
        self.end()
        self._transport.close()
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(CageBroken(note, reason))
