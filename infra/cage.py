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

STREAM_LIMIT: Final = 4 * 1024 * 1024
LARGE: Final = 64 * 1024


class CageBroken(Exception):
    """The process has died or had to be ended; `note` is what it worked on, 0 for nothing."""

    def __init__(self, note: int, reason: str) -> None:
        super().__init__(f"{reason}, at {note}")
        self.note = note
        self.reason = reason


class Cage:
    """One such process, running a module that calls `infra.caged.serve`. Once broken it stays so."""

    def __init__(self, module: str, *, memory: int, patience: float) -> None:
        """`memory` is the limit of its address space in bytes (0: none), `patience` seconds per request."""
        self._module = module
        self._memory = memory
        self._patience = patience
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._asked = asyncio.Event()
        self._reason = ""
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

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
        self._reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=STREAM_LIMIT)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def ask(self, request: Sequence[bytes]) -> bytes:
        """The answer to a request, given in parts; requests are answered in order.

        Raises:
            CageBroken: there is no answer.
        """
        if self._reason:
            raise CageBroken(0, self._reason)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._asked.set()
        size = sum(map(len, request))
        if size < LARGE:
            self._writer.write(b"".join((LENGTH.pack(size), *request)))
        else:
            self._writer.writelines((LENGTH.pack(size), *request))  # megabytes are not copied once more
        return await answer

    def end(self) -> None:
        """End the process; what was asked is not answered."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def ended(self) -> None:
        """End the process, and wait until it is gone."""
        self.end()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})
        if self._process is not None:
            await self._process.wait()

    async def _listen(self) -> None:
        try:
            while True:
                await self._asked.wait()
                async with asyncio.timeout(self._patience):
                    head = await self._reader.readexactly(LENGTH.size)
                    answer = await self._reader.readexactly(LENGTH.unpack(head)[0])
                waiting = self._waiting.popleft()
                if not self._waiting:
                    self._asked.clear()
                if not waiting.done():
                    waiting.set_result(answer)
        except TimeoutError:
            self._break(f"no answer within {self._patience} s")
        except (asyncio.IncompleteReadError, OSError):
            self._break("it died")
        except asyncio.CancelledError:
            self._break("ended")
            raise

    def _break(self, reason: str) -> None:
        self._reason = reason
        note = self.note
        self.end()
        self._writer.close()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(CageBroken(note, reason))
