"""The lightest client: it enters a document, is told what is in there, and says nothing more.

A storm is to measure servers. What the driver itself needs for each socket keeps the same cores busy, so this speaks
the few bytes of WebSocket that it takes, over a plain transport.
"""

import asyncio
from typing import Final, Self, cast
from urllib.parse import urlsplit

from models.lib0 import varstring
from tests.bench.collab import wire
from tests.bench.collab.client import ACCEPTED, AUTH, SYNC, Target

_REQUEST: Final = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_SWITCHING: Final = b"HTTP/1.1 101 "
_STEP1, _STEP2 = 0, 1


class Visitor(asyncio.Protocol):
    """A socket whose `entered` is done once the server has sent what is in the document."""

    def __init__(self, target: Target, loop: asyncio.AbstractEventLoop) -> None:
        self.entered: asyncio.Future[None] = loop.create_future()
        self._url = urlsplit(target.url)
        self._target = target
        self._prefix = varstring(target.name) if target.multiplexed else b""
        self._transport: asyncio.Transport | None = None
        self._upgraded = False
        self._received = b""

    @classmethod
    async def enter(cls, target: Target) -> Self:
        """A visitor that has entered."""
        loop = asyncio.get_running_loop()
        visitor = cls(target, loop)
        await loop.create_connection(lambda: visitor, visitor._url.hostname or "", visitor._url.port or 0)
        await visitor.entered
        return visitor

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self._transport = transport = cast(asyncio.Transport, transport)  # as uvloop has its own
        path = f"{self._url.path}?{self._url.query}" if self._url.query else self._url.path
        transport.write(_REQUEST.format(path=path, host=self._url.netloc).encode())

    def data_received(self, data: bytes) -> None:
        """Some frames, or the answer to the request before them."""
        self._received += data
        if not self._upgraded:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(_SWITCHING):
                self._fail(head.partition(b"\r\n")[0].decode())
                return
            self._upgraded, self._received = True, rest
            self._say(bytes((AUTH, 0)) + varstring(self._target.token) if self._prefix else wire.STEP1)
        while (message := self._frame()) is not None:
            self._hear(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._transport = None
        self._fail("closed before it had entered")

    def cut(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _frame(self) -> bytes | None:
        """The next message, if it is there; all that a server says to who has just entered is short."""
        received = self._received
        if len(received) < 2:
            return None
        start, size = 2, received[1]
        if size == 126:
            start, size = 4, int.from_bytes(received[2:4], "big")
        if len(received) < start + size:
            return None
        self._received = received[start + size :]
        return received[start : start + size]

    def _hear(self, message: bytes) -> None:
        at = len(self._prefix)
        kind = message[at]
        if kind == SYNC and message[at + 1] == _STEP1:
            self._say(wire.STEP2_OF_NOBODY)
        elif kind == SYNC and message[at + 1] == _STEP2:
            if not self.entered.done():
                self.entered.set_result(None)
        elif kind == AUTH:
            if message[at + 1] == ACCEPTED:
                self._say(wire.STEP1)
            else:
                self._fail("refused")

    def _say(self, body: bytes) -> None:
        if self._transport is not None:
            self._transport.write(wire.frame(self._prefix + body))

    def _fail(self, why: str) -> None:
        if not self.entered.done():
            self.entered.set_exception(ConnectionError(f"{self._target.url}: {why}"))
