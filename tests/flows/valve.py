"""A TCP relay in front of a real service that fails as networks do: refuses, hangs, lags, cuts, goes half-open."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit, urlunsplit


@dataclass
class Valve:
    """Relays to a port while it is open. Connections that it has cut are cut."""

    target: int
    port: int = 0
    host: str = "127.0.0.1"
    """Where it listens; what it relays to is always here."""
    delay: float = 0.0
    """Seconds that everything is late, in each direction."""
    _server: asyncio.Server | None = None
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _ends: dict[asyncio.StreamWriter, asyncio.StreamWriter] = field(default_factory=dict)
    """Of each open connection, whoever connected, and the way to the service."""
    _orphans: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Let everything through."""
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._relay, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def hang(self) -> None:
        """Accept connections and bytes, and pass nothing on."""
        self._flowing.clear()

    async def close(self) -> None:
        """Refuse connections and cut those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        self._flowing.set()  # what still waits finds its connection cut

    def cut(self) -> None:
        """Reset what is connected, and take new connections at once."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def orphan(self) -> None:
        """Go half-open: the service loses everybody who is connected, and they are not told. New connections work."""
        for near, far in self._ends.items():
            self._orphans.add(near)
            far.transport.abort()
        self._ends.clear()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:  # it is down: whoever connects is told by a reset
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        self._ends[writer] = back
        with suppress(asyncio.CancelledError):  # the loop ends
            await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        self._ends.pop(writer, None)
        self._orphans.discard(writer)
        self._writers -= {writer, back}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flowing.wait()
                if not writer.is_closing():  # else it was orphaned: what is sent goes nowhere
                    writer.write(data)
                    await writer.drain()
        if writer not in self._orphans:
            writer.close()


def through(url: str, valve: Valve) -> str:
    """The same URL, by way of the valve."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{valve.port}")))
