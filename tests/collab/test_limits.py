"""Bounds: on what one client may say, keep waiting, and hold of this process, and on how many there may be."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from collab import presence, protocol
from collab.app import Door
from collab.connection import Connection
from collab.dialogue import Hocuspocus, YWebsocket
from collab.place import Place
from collab.sockets import Socket
from models.lib0 import read_bytes, varstring
from tests.collab.sockets import Editor
from tests.collab.test_failures import acknowledged, closed, url
from tests.collab.test_outages import narrow
from tests.collab.world import Collab, World, free_port, running

UNSAVED = protocol.sync_status(saved=False)


def resident(pid: int) -> int:
    """Bytes of memory a process takes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def heard(socket: ClientConnection, kind: bytes) -> bytes:
    """The next message that begins so."""
    async with asyncio.timeout(20):
        while not (body := bytes(await socket.recv())).startswith(kind):  # type: ignore[arg-type]
            pass
    return body


@asynccontextmanager
async def two(collab: Collab, world: World, doc: UUID) -> AsyncIterator[tuple[ClientConnection, ClientConnection]]:
    """Two sockets at a document that have synced."""
    where = url(collab, doc, world.token(doc))
    async with connect(where, max_size=None) as one, connect(where, max_size=None) as other:
        for socket in (one, other):
            await socket.send(protocol.step1(b"\0"))
            await heard(socket, b"\0\1")
        yield one, other


async def test_who_says_too_much_about_themselves_is_told_in_one(collab: Collab, world: World) -> None:
    doc = await world.document()
    async with two(collab, world, doc) as (ann, bob):
        for clock in range(1, 501):
            states = presence.encode([(7, clock, b'{"at": %d}' % clock)])
            await ann.send(protocol.awareness(states))
        received, clock = 0, 0
        while clock < 500:
            [(client, clock, state)] = presence.parse(read_bytes(await heard(bob, b"\1"), 1)[0])
            received += client == 7
        assert state == b'{"at": 500}'
        assert received < 250, "the rest was told together"


@pytest.mark.parametrize("frame", [protocol.update, protocol.step2])
async def test_a_reader_changes_nothing_however_it_says_it(collab: Collab, world: World, frame: object) -> None:
    doc = await world.document()
    raw = Editor(5).type("forbidden")
    async with connect(url(collab, doc, world.token(doc, "read"))) as reader:
        await reader.send(frame(raw))  # type: ignore[operator]
        assert await closed(reader) == protocol.Close.FORBIDDEN
    assert await world.journal(doc) == []


async def test_too_many_at_a_document_or_of_an_organization(world: World) -> None:
    limits = {"DOXIE_COLLAB_SOCKETS_PER_DOCUMENT": "2", "DOXIE_COLLAB_SOCKETS_PER_ORG": "3"}
    limits["DOXIE_COLLAB_DOCUMENTS_PER_ORG"] = "2"
    docs = [await world.document() for _ in range(3)]
    async with running(world.settings, **limits) as collab:
        where = [url(collab, doc, world.token(doc)) for doc in docs]
        async with two(collab, world, docs[0]), connect(where[0]) as third:
            assert await closed(third) == protocol.Close.TRY_AGAIN
            async with connect(where[1]) as elsewhere:
                await elsewhere.send(protocol.step1(b"\0"))
                await heard(elsewhere, b"\0\1")
                async with connect(where[1]) as fourth:
                    assert await closed(fourth) == protocol.Close.TRY_AGAIN
            async with connect(where[2]) as another:
                assert await closed(another) == protocol.Close.TRY_AGAIN
        async with two(collab, world, docs[0]):
            pass  # who has left does not count


async def test_who_reads_nothing_costs_little_and_is_cut_off(world: World) -> None:
    doc, editor = await world.document(), Editor(1)
    async with running(world.settings, DOXIE_COLLAB_STUCK_SECONDS="4") as collab:
        with narrow(collab.port) as wire:
            where = url(collab, doc, world.token(doc))
            async with (
                connect(where, sock=wire, max_size=None, max_queue=1, ping_interval=None) as stuck,
                connect(where, max_size=None) as busy,
            ):
                await busy.send(protocol.update(editor.type("warm")))
                await acknowledged(busy)
                before = resident(collab.pid)
                for _ in range(300):
                    await busy.send(protocol.update(editor.type("x" * 20_000, 0)))
                    await acknowledged(busy)
                    editor.erase(0, 19_000)
                assert resident(collab.pid) - before < 6 * 1024 * 1024, "6 MB were sent, and not kept for it"
                async with asyncio.timeout(40):
                    while (await collab.metrics())["sockets"] > 1:
                        await asyncio.sleep(0.2)
                with pytest.raises(websockets.ConnectionClosed):
                    async with asyncio.timeout(20):
                        while True:
                            await stuck.recv()


async def test_who_floods_is_read_slowly(collab: Collab, world: World) -> None:
    doc, editor = await world.document(), Editor(1)
    before = (await collab.metrics())["throttled_total"]
    async with connect(url(collab, doc, world.token(doc)), max_size=None) as socket:
        raw = editor.type("x" * 1_000_000)
        await socket.send(protocol.update(raw))
        await acknowledged(socket)
        for _ in range(20):
            await socket.send(protocol.step2(raw))
        for _ in range(20):
            await acknowledged(socket)
    assert (await collab.metrics())["throttled_total"] > before
    assert len(await world.journal(doc)) == 1


async def test_a_closed_socket_is_freed_at_once(world: World) -> None:
    """Not by the garbage collector, which would stop everybody when it meets thousands of them."""
    port, stop = free_port(), asyncio.Event()
    door = asyncio.create_task(Door(world.settings.model_copy(update={"collab_port": port})).run(stop))
    doc = await world.document()
    hello = varstring(str(doc)) + b"\x02\x00" + varstring(world.token(doc))
    gc.disable()
    try:
        for path, message in (
            (f"/{doc}?token={world.token(doc)}", protocol.step1(b"\0")),
            (f"/{doc}?token=none", protocol.step1(b"\0")),
            ("", hello),
        ):
            async with await reached(f"ws://127.0.0.1:{port}/collab{path}") as socket:
                assert held()
                with suppress(websockets.ConnectionClosed):
                    await socket.send(message)
                    await socket.recv()
            async with asyncio.timeout(20):
                while held():
                    await asyncio.sleep(0.05)
    finally:
        gc.enable()
        stop.set()
        assert await door


async def reached(where: str) -> ClientConnection:
    """A socket to a door that is being opened."""
    async with asyncio.timeout(30):
        while True:
            with suppress(OSError):
                return await connect(where)
            await asyncio.sleep(0.05)


def held() -> list[object]:
    """What this process keeps of sockets."""
    return [found for found in gc.get_objects() if type(found) in (Connection, Socket, Place, YWebsocket, Hocuspocus)]
