"""How sockets come: many at once, by HTTP first, and none once the process is to end."""

import asyncio
import contextlib
import os
import signal
import socket

import pytest
from websockets.asyncio.client import connect

from collab import protocol
from collab.app import ACCEPTED_AT_ONCE
from collab.handshake import Loop
from tests.collab.test_failures import closed, url
from tests.collab.test_limits import heard
from tests.collab.world import Collab, World, running

CROWD = 20 * ACCEPTED_AT_ONCE


async def test_hundreds_come_at_once(world: World) -> None:
    doc = await world.document()

    async def enter(stack: contextlib.AsyncExitStack, where: str) -> None:
        visitor = await stack.enter_async_context(connect(where, open_timeout=60))
        await visitor.send(protocol.step1(b"\0"))
        await heard(visitor, b"\0\1")

    async with running(world.settings) as collab, contextlib.AsyncExitStack() as stack:
        where = url(collab, doc, world.token(doc))
        await asyncio.gather(*(enter(stack, where) for _ in range(CROWD)))
        assert (await collab.metrics())["sockets"] == CROWD


async def test_the_answer_is_that_of_rfc_6455(collab: Collab, world: World) -> None:
    doc = await world.document()
    path = url(collab, doc, world.token(doc)).removeprefix(f"ws://127.0.0.1:{collab.port}")
    reader, writer = await asyncio.open_connection("127.0.0.1", collab.port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    async with asyncio.timeout(20):
        first, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    assert first == "HTTP/1.1 101 Switching Protocols"
    assert {header.lower() for header in headers if header} == {
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",  # the example of the RFC
    }
    writer.close()


def test_packets_do_not_wait_for_each_other() -> None:
    """picows is not let to set `TCP_NODELAY`: uvloop has."""

    class Door(asyncio.Protocol):
        """Notes what its socket is like."""

        def __init__(self, found: "asyncio.Future[int]") -> None:
            self._found = found

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as ours:
                self._found.set_result(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def come() -> int:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[int] = loop.create_future()
        server = await loop.create_server(lambda: Door(found), "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.close()
        async with asyncio.timeout(20):
            nodelay = await found
        server.close()
        return nodelay

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(come())


async def test_nobody_comes_once_it_is_to_end(world: World) -> None:
    doc = await world.document()
    async with running(world.settings) as collab, connect(url(collab, doc, world.token(doc))) as visitor:
        os.kill(collab.pid, signal.SIGTERM)
        assert await closed(visitor) == protocol.Close.TRY_AGAIN
        with pytest.raises(ConnectionRefusedError):  # by each of its handles, and while it says goodbye
            socket.create_connection(("127.0.0.1", collab.port), timeout=5).close()


async def test_an_id_of_many_hyphens_is_none(collab: Collab, world: World) -> None:
    doc = await world.document()
    strange = str(doc).replace("-", "-" * 20)
    async with connect(url(collab, doc, world.token(doc)).replace(str(doc), strange)) as visitor:
        assert await closed(visitor) == protocol.Close.NOT_FOUND
