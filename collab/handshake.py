"""What a new socket costs, kept low: when a node comes back, thousands of clients do, all at once.

picows asks the socket's address and options for a log that nobody reads, each time through a Python socket made for the
purpose, and writes its answer header by header. Together that takes as long as everything the socket is here for.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import uvloop
from picows import WSUpgradeResponse

_SWITCHING: Final = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
_ACCEPT: Final = "Sec-WebSocket-Accept"


class Switching(WSUpgradeResponse):
    """The answer to a handshake. One does for all: picows adds the key and writes it at once."""

    def __init__(self) -> None:
        self.version = b"HTTP/1.1"
        self.status = HTTPStatus.SWITCHING_PROTOCOLS
        self.headers = {}  # type: ignore[assignment]  # nothing more than that is done with it
        self.body = None

    def to_bytes(self) -> bytearray:
        """The answer, with the key."""
        return bytearray(b"%b%b: %b\r\n\r\n" % (_SWITCHING, _ACCEPT.encode(), self.headers[_ACCEPT].encode()))


class Loop(uvloop.Loop):
    """uvloop's, whose servers hand out transports of which little is asked."""

    async def create_server(  # type: ignore[override]  # its many overloads
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], *arguments: Any, **options: Any
    ) -> asyncio.AbstractServer:
        """A server, as of any loop."""
        return await super().create_server(lambda: _Arrival(protocol_factory), *arguments, **options)


class _Arrival(asyncio.Protocol):
    """Stands in for a protocol until there is a transport."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], asyncio.BaseProtocol]) -> None:
        self._make = make

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """From here on the transport has its own protocol, and nothing stands between them."""
        protocol = self._make()
        transport.set_protocol(protocol)
        protocol.connection_made(_Transport(transport))  # type: ignore[arg-type]


class _Transport:
    """A transport that is its own socket, without more than a number, and does not tell its address."""

    __slots__ = ("_transport", "fileno")

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.fileno: Callable[[], int] = transport.get_extra_info("socket").fileno

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The socket."""
        return self if name == "socket" else default

    def setsockopt(self, *_option: Any) -> None:
        """It is set already; or, as `TCP_QUICKACK`, holds for one packet."""

    def getsockopt(self, *_option: Any) -> int:
        """For the log."""
        return 0
