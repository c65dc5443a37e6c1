"""One raw socket of the load driver: the least that a client has to say and understand, the same for every server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from models.lib0 import read_bytes, varstring
from tests.bench.collab import wire

SYNC, AUTH, _STATUS = 0, 2, 8
ACCEPTED = 2
MAX_FRAME: Final = 64 * 1024 * 1024
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """A document on a server."""

    url: str
    name: str
    token: str = ""
    """Sent in a message of its own where `multiplexed`."""
    multiplexed: bool = False
    """Whether every message begins with the document's name: Hocuspocus."""


def _ignore(*_: object) -> None:
    """Nobody listens."""


class Client(WSListener):
    """A client that has its document; `on_update` gets each update, `on_saved` is called for each acknowledgement."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.on_update: Callable[[Client, bytes], object] = _ignore
        self.on_saved: Callable[[], object] = _ignore
        self.content = b""
        """What the server had."""
        self.synced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._target = target
        self._prefix = varstring(target.name) if target.multiplexed else b""
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []

    @classmethod
    async def connect(cls, target: Target, on_update: "Callable[[Client, bytes], object]" = _ignore) -> Self:
        """A client that has synced."""
        client = cls(target)
        client.on_update = on_update
        await ws_connect(
            lambda: client,
            target.url,
            max_frame_size=MAX_FRAME,
            websocket_handshake_timeout=PATIENCE,
            read_buffer_init_size=2048,
        )
        async with asyncio.timeout(PATIENCE):
            await client.synced
        return client

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Sign in, or ask for the document at once."""
        self._transport = transport.underlying_transport
        if self._target.multiplexed:
            self.say(bytes((AUTH, 0)) + varstring(self._target.token))
        else:
            self.say(wire.STEP1)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A message came."""
        if frame.msg_type is not WSMsgType.BINARY:
            if frame.msg_type is WSMsgType.CLOSE:
                transport.disconnect()
            return
        message = frame.get_payload_as_bytes()
        at = len(self._prefix)
        kind = message[at]
        if kind == SYNC:
            self._sync(message[at + 1], message, at + 2)
        elif kind == _STATUS:
            if message[at + 1] == 1:
                self.on_saved()
        elif kind == AUTH and message[at + 1] == ACCEPTED:
            self.say(wire.STEP1)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone."""
        self._transport = None
        if not self.synced.done():
            self.synced.set_exception(ConnectionError(f"closed before it had synced: {self._target.url}"))
            self.synced.exception()  # whoever waits for it raises it; nobody may

    def say(self, body: bytes) -> None:
        """Send a message, with the others of this tick of the loop."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(wire.frame(self._prefix + body))

    def cut(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _sync(self, step: int, message: bytes, pos: int) -> None:
        if step == 2:
            length = message[pos]
            small = length < 0x80
            self.on_update(self, message[pos + 1 :] if small else read_bytes(message, pos)[0])
        elif step == 0:
            self.say(wire.STEP2_OF_NOBODY)
        elif not self.synced.done():
            self.content = read_bytes(message, pos)[0]
            self.synced.set_result(None)
        else:
            self.on_update(self, read_bytes(message, pos)[0])

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None:
            self._transport.write(b"".join(out))
