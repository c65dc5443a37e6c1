"""Stores that fail or hang: typing goes on, nobody is told "saved" who is not, and everything is saved afterwards."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit
from uuid import UUID

import pycrdt
import pytest
from websockets.asyncio.client import ClientConnection, connect

from collab import protocol
from tests.clients import Node
from tests.collab.sockets import Editor
from tests.collab.test_clients import join
from tests.collab.test_failures import closed, url
from tests.collab.world import Collab, World, running
from tests.flows.valve import Valve, through

SAVED, UNSAVED = (protocol.sync_status(saved=saved) for saved in (True, False))


@asynccontextmanager
async def behind_valves(world: World) -> AsyncIterator[tuple[Collab, Valve, Valve]]:
    """A collab process whose Postgres and Redis can be turned off."""
    database = world.settings.app_database_url.get_secret_value()
    redis = world.settings.redis_url.get_secret_value()
    ports = [urlsplit(where).port or 0 for where in (database, redis)]
    async with Valve(ports[0]) as postgres_valve, Valve(ports[1]) as redis_valve:
        urls = {
            "DOXIE_APP_DATABASE_URL": through(database, postgres_valve),
            "DOXIE_REDIS_URL": through(redis, redis_valve),
        }
        async with running(world.settings, **urls) as collab:
            yield collab, postgres_valve, redis_valve


def text_of(payloads: list[bytes]) -> str:
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    for payload in payloads:
        doc.apply_update(payload)
    return str(doc.get("text", type=pycrdt.Text))


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "refuses"])
async def test_typing_goes_on_without_postgres(node: Node, world: World, hangs: bool) -> None:
    doc = await world.document()
    async with behind_valves(world) as (collab, postgres, _):
        ann, bob = [await join(node, kind, collab, world, doc) for kind in ("hocuspocus-4", "y-websocket")]
        await ann.append("before ")
        await ann.saved()
        if hangs:
            postgres.hang()
        else:
            await postgres.close()
        await bob.append("during ")
        await ann.sees("before during ")
        await asyncio.sleep(2)
        state = await bob.state()
        assert not state["saved"]
        assert state["refused"] == 1, "told within two seconds, once"
        await ann.append("still ")
        await bob.sees("before during still ")
        assert not (await ann.state())["saved"]
        await postgres.open()
        await ann.saved(30_000)
        await bob.saved(30_000)
    entries = await world.journal(doc)
    assert text_of([entry.payload for entry in entries]) == "before during still "
    assert len(entries) == 3


class Cutter(Valve):
    """Lets the next few commits through, but not their answers: whoever committed cannot know."""

    commits = 0
    done: asyncio.Event | None = None
    """Set when one is done; then `go` is waited for."""
    go: asyncio.Event

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        back_to_client = asyncio.create_task(self._copy(there, writer))
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                last = self.commits > 0 and b"COMMIT" in data
                if last:
                    self.commits -= 1
                    back_to_client.cancel()
                back.write(data)
                await back.drain()
                if last:
                    await asyncio.wait_for(there.read(1), 5)  # it is done
                    if self.done is not None:
                        self.done.set()
                        await self.go.wait()
                    break
        writer.transport.abort()
        back.close()


@asynccontextmanager
async def behind_a_cutter(world: World, doc: UUID) -> AsyncIterator[tuple[Cutter, ClientConnection]]:
    """A client at a document of a collab process whose commits can be cut off, and that is synced."""
    database = world.settings.app_database_url.get_secret_value()
    async with (
        Cutter(urlsplit(database).port or 0) as cutter,
        running(world.settings, DOXIE_APP_DATABASE_URL=through(database, cutter)) as collab,
        connect(url(collab, doc, world.token(doc))) as client,
    ):
        await client.send(protocol.step1(b"\0"))
        await client.recv()
        yield cutter, client


async def test_a_commit_that_happened_unnoticed_is_not_made_twice(world: World) -> None:
    doc = await world.document()
    async with behind_a_cutter(world, doc) as (cutter, client):
        editor = Editor(1)
        cutter.commits = 3
        sent = saved = 0
        async with asyncio.timeout(60):
            while cutter.commits:
                await client.send(protocol.update(editor.type(f"{sent} ")))
                sent += 1
                await asyncio.sleep(0.003 * (sent % 5))
            while saved < sent:
                saved += await client.recv() == SAVED
    entries = await world.journal(doc)
    assert [entry.seq for entry in entries] == list(range(1, sent + 1)), "nothing twice"
    assert text_of([entry.payload for entry in entries]) == str(editor.text)


async def test_nor_when_it_was_read_before_it_failed(world: World) -> None:
    """Somebody else's edit comes while the commit hangs, so the journal is read, and with it what was committed."""
    doc = await world.document()
    async with behind_a_cutter(world, doc) as (cutter, client):
        cutter.done, cutter.go, cutter.commits = asyncio.Event(), asyncio.Event(), 1
        mine, others = Editor(1).type("mine "), Editor(2).type("others ")
        await client.send(protocol.update(mine))
        async with asyncio.timeout(60):
            await cutter.done.wait()
            await world.autosave(doc, others)
            while protocol.update(mine) != await client.recv():  # as news: it was read from the journal
                pass
            cutter.go.set()
            while await client.recv() != SAVED:
                pass
    assert [entry.payload for entry in await world.journal(doc)] == [mine, others], "nothing twice"


async def test_a_document_that_cannot_be_loaded_is_not_an_empty_one(world: World) -> None:
    doc = await world.document()
    await world.edit(doc, Editor(1).type("there"))
    async with behind_valves(world) as (collab, postgres, _):
        await postgres.close()
        async with connect(url(collab, doc, world.token(doc))) as client:
            assert await closed(client) == protocol.Close.TRY_AGAIN
        await postgres.open()
        async with connect(url(collab, doc, world.token(doc))) as client:
            await client.send(protocol.step1(b"\0"))
            async with asyncio.timeout(10):
                while not (body := bytes(await client.recv())).startswith(b"\0\1"):  # type: ignore[arg-type]
                    pass
            assert b"there" in body
    assert len(await world.journal(doc)) == 1


async def test_redis_costs_latency_only(node: Node, world: World, collab: Collab) -> None:
    doc = await world.document()
    async with behind_valves(world) as (cut_off, _, redis):
        ann = await join(node, "hocuspocus-4", cut_off, world, doc)
        bob = await join(node, "y-websocket", collab, world, doc)
        await ann.append("one ")
        await bob.sees("one ")
        await redis.close()
        await ann.append("two ")
        await ann.saved()
        await bob.append("three")
        await bob.saved()
        await redis.open()
        await ann.catches_up_with(bob, 20_000)
        await bob.catches_up_with(ann, 20_000)
        assert await ann.text() == await bob.text()


async def test_what_the_bus_never_told_is_found_in_the_journal(node: Node, world: World, collab: Collab) -> None:
    """Redis may lose a message, and no connection with it: nothing is heard of that, nor of a gap."""
    doc = await world.document()
    ann = await join(node, "hocuspocus-4", collab, world, doc)
    await world.edit(doc, Editor(7).type("silent"))
    await ann.sees("silent", 30_000)


async def test_who_reads_nothing_is_caught_up_in_one_piece(world: World, collab: Collab) -> None:
    doc = await world.document()
    token = world.token(doc)
    with narrow(collab.port) as wire:
        async with (
            connect(url(collab, doc, token), sock=wire, max_size=None, max_queue=1) as slow,
            connect(url(collab, doc, token), max_size=None) as busy,
        ):
            before = (await collab.metrics())["slow_readers_total"]
            editor = Editor(1)
            for burst in (1, 59):  # after the first the document is open, so that it takes the others
                for _ in range(burst):
                    await busy.send(protocol.update(editor.type("x" * 100_000, 0)))
                async with asyncio.timeout(30):
                    for _ in range(burst):
                        while await busy.recv() != SAVED:
                            pass
            assert (await collab.metrics())["slow_readers_total"] > before
            reader: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
            received = 0
            async with asyncio.timeout(30):
                while len(reader.get("text", type=pycrdt.Text)) < 6_000_000:
                    body = bytes(await slow.recv())  # type: ignore[arg-type]
                    received += 1
                    if body[:1] == b"\0" and body[1] in (1, 2):
                        reader.apply_update(protocol.read(body)[1])
            assert received < 60, "what it had missed came in one piece"


def narrow(port: int) -> socket.socket:
    """A connection that takes little ahead of who reads it."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    wire.connect(("127.0.0.1", port))
    return wire
