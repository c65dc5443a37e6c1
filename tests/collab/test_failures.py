"""What must not be lost, and what must not get in."""

import asyncio

import httpx
import pycrdt
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from collab import protocol
from models import lib0
from tests.clients import Kind, Node, YClient
from tests.collab.sockets import Editor
from tests.collab.test_clients import KINDS, join
from tests.collab.world import Collab, World, found, running


def url(collab: Collab, doc: object, token: str, *, ack: bool = True) -> str:
    return f"{collab.url}/{doc}?token={token}" + ("&ack=1" if ack else "")


async def closed(socket: ClientConnection, seconds: float = 10) -> int:
    """The code the server closes with."""
    async with asyncio.timeout(seconds):
        with pytest.raises(websockets.ConnectionClosed) as caught:
            while True:
                await socket.recv()
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code


async def acknowledged(socket: ClientConnection) -> None:
    """Wait for one "saved"."""
    async with asyncio.timeout(10):
        while await socket.recv() != protocol.sync_status(saved=True):
            pass


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_acknowledged_is_lost_by_a_crash(node: Node, world: World, kind: Kind) -> None:
    doc = await world.document()
    async with running(world.settings) as collab:
        ann, bob = [await join(node, kind, collab, world, doc) for _ in range(2)]
        for number in range(50):
            await ann.append(f"{number} ")
        await ann.saved()
        acknowledged_text = await ann.text()
        for number in range(50, 80):
            await ann.append(f"{number} ")
        await collab.kill()
        stored = pycrdt.Doc[pycrdt.Text]()
        for entry in await world.journal(doc):
            stored.apply_update(entry.payload)
        assert str(stored.get("text", type=pycrdt.Text)).startswith(acknowledged_text)
        await ann.append("after")
        await collab.start()
        wanted = acknowledged_text + "".join(f"{number} " for number in range(50, 80)) + "after"
        await bob.sees(wanted)
        await ann.saved()
        late = await join(node, kind, collab, world, doc)
        assert await late.text() == wanted


async def test_an_orderly_end_saves_what_was_heard(node: Node, world: World) -> None:
    doc = await world.document()
    async with running(world.settings) as collab:
        ann = await join(node, "y-websocket", collab, world, doc)
        for number in range(200):
            await ann.append(f"{number} ")
        assert await collab.stop() == 0
        assert await ann.closed() == protocol.Close.TRY_AGAIN
    assert len(await world.journal(doc)) > 0


async def test_two_processes_share_a_document(node: Node, collab: Collab, world: World) -> None:
    doc = await world.document()
    async with running(world.settings) as other:
        ann = await join(node, "hocuspocus-4", collab, world, doc)
        bob = await join(node, "y-websocket", other, world, doc)
        await ann.append("from ann ")
        await bob.sees("from ann ")
        await bob.append("from bob")
        await ann.sees("from ann from bob")
        await ann.call("setAwareness", field="user", value="ann")
        await bob.call("setAwareness", field="user", value="bob")
        for client in (ann, bob):
            await client.call("waitAwareness", count=2)
        await ann.destroy()
        await bob.call("waitAwareness", count=1)


async def test_an_edit_by_rest_is_seen_by_open_editors(node: Node, collab: Collab, world: World) -> None:
    doc = await world.document()
    ann = await join(node, "hocuspocus-3", collab, world, doc)
    await ann.append("typed")
    await ann.saved()
    await world.autosave(doc, Editor(7).type("saved "))
    async with asyncio.timeout(10):
        while "saved " not in await ann.text():
            await asyncio.sleep(0.02)


async def test_what_is_no_update_is_refused_and_bothers_nobody(node: Node, collab: Collab, world: World) -> None:
    doc = await world.document()
    ann = await join(node, "y-websocket", collab, world, doc)
    await ann.append("fine")
    await ann.saved()
    before = await world.journal(doc)
    for message, code in (
        (protocol.update(b"\xff" * 20), protocol.Close.MALFORMED),
        (protocol.update(lib0.varuint(2**32) + b"\1"), protocol.Close.MALFORMED),
        (b"\x00\x02\x05abc", protocol.Close.MALFORMED),
        (b"\x00\x00\x05\xff\xff\xff\xff\x0f", protocol.Close.MALFORMED),
        (b"\x08\x01", protocol.Close.FORBIDDEN),
        (b"\x06\x01a", protocol.Close.FORBIDDEN),
        (protocol.awareness(b"\x01\x01\x01\x01{"), protocol.Close.MALFORMED),
        (protocol.update(bytes(protocol.MAX_UPDATE + 2000)), protocol.Close.TOO_BIG),
        ("text", protocol.Close.MALFORMED),
    ):
        async with connect(url(collab, doc, world.token(doc))) as socket:
            await socket.send(message)
            assert await closed(socket) == code, message[:20]
    assert await world.journal(doc) == before
    await ann.append("!")
    await ann.saved()
    assert await ann.text() == "fine!"


async def test_the_deepest_update_that_fits_is_survived(collab: Collab, world: World) -> None:
    doc = await world.document()
    levels = 520_000
    nested = b"\x01\x01\x05\x00\x08\x01\x01t\x01" + b"\x75\x01" * levels + b"\x7e\x00"
    assert len(nested) < protocol.MAX_UPDATE
    async with connect(url(collab, doc, world.token(doc))) as socket:
        await socket.send(protocol.update(nested))
        await acknowledged(socket)
    async with connect(url(collab, doc, world.token(doc)), max_size=None) as socket:
        await socket.send(protocol.step1(b"\0"))
        async with asyncio.timeout(10):
            while len(await socket.recv()) < levels:
                pass


async def test_who_gets_in(node: Node, collab: Collab, world: World) -> None:
    doc, other = await world.document(), await world.document()
    for document, token, code in (
        (doc, "", 4401),
        (doc, "nonsense", 4401),
        (doc, world.signer.issue("access", sub=str(world.actor.user_id), seconds=60), 4401),
        (other, world.token(doc), 4404),
        ("no-uuid", world.token(doc), 4404),
    ):
        async with connect(url(collab, document, token)) as socket:
            assert await closed(socket) == code
    await world.trash(other)
    async with connect(url(collab, other, world.token(other))) as socket:
        assert await closed(socket) == 4404
    denied = await YClient.connect(node, "hocuspocus-4", collab.url, str(doc), "nonsense")
    assert "token" in await denied.denied()
    await denied.append("not heard")
    assert await world.journal(doc) == []
    await denied.destroy()


async def test_readers_read(node: Node, collab: Collab, world: World) -> None:
    doc = await world.document()
    ann = await join(node, "hocuspocus-4", collab, world, doc)
    await ann.append("written")
    await ann.saved()
    token = world.token(doc, "read")
    reader = await (await YClient.connect(node, "hocuspocus-4", collab.url, str(doc), token)).synced()
    await reader.saved()
    assert (await reader.state())["scope"] == "readonly"
    await reader.sees("written")
    await reader.append("forbidden")
    stubborn = await (await YClient.connect(node, "y-websocket", collab.url, str(doc), token)).synced()
    await stubborn.append("forbidden")
    assert await stubborn.closed() == 4403
    await ann.append("!")
    await ann.saved()
    assert [await ann.text(), len(await world.journal(doc))] == ["written!", 2]
    assert (await reader.state())["unsynced"] == 1
    for client in (ann, reader, stubborn):
        await client.destroy()


async def test_a_document_that_goes_away_closes_its_sockets(node: Node, collab: Collab, world: World) -> None:
    doc, kept = await world.document(), await world.document()
    ann = await join(node, "y-websocket", collab, world, doc)
    bob = await join(node, "y-websocket", collab, world, kept)
    await world.trash(doc)
    await asyncio.gather(ann.append("lost"), bob.append("kept"))
    await bob.saved()
    assert await ann.closed() == 4404
    assert await world.journal(doc) == []


async def test_a_cookie_counts_on_pages_of_ours(collab: Collab, world: World) -> None:
    doc, foreign = await world.document(), await (await found(world.settings)).document()
    cookie = world.signer.issue("access", sub=str(world.actor.user_id), seconds=60, sid=str(world.actor.session_id))
    for document, origin, code in (
        (doc, world.settings.public_url, None),
        (doc, f"http://127.0.0.1:{collab.port}", None),
        (doc, "https://evil.example", 4401),
        (doc, None, 4401),
        (foreign, world.settings.public_url, 4404),
    ):
        headers = {"Cookie": f"doxie_access={cookie}"} | ({"Origin": origin} if origin else {})
        async with connect(f"{collab.url}/{document}?ack=1", additional_headers=headers) as socket:
            if code is None:
                await socket.send(protocol.update(Editor(1).type("x")))
                await acknowledged(socket)
            else:
                assert await closed(socket) == code


async def test_who_is_signed_out_has_to_go(collab: Collab, world: World) -> None:
    someone = await found(world.settings)
    doc = await someone.document()
    async with connect(url(collab, doc, someone.token(doc))) as socket:
        await socket.send(protocol.update(Editor(1).type("x")))
        await acknowledged(socket)
        await someone.sign_out()
        assert await closed(socket) == 4401


async def test_a_full_document_refuses_the_edit_and_its_sender_only(node: Node, world: World) -> None:
    doc = await world.document()
    async with running(world.settings, DOXIE_MAX_DOCUMENT_BYTES="4000") as collab:
        ann, bob = [await join(node, kind, collab, world, doc) for kind in ("y-websocket", "hocuspocus-4")]
        await ann.append("fits ")
        await ann.saved()
        async with connect(url(collab, doc, world.token(doc))) as greedy:
            await greedy.send(protocol.update(Editor(7).type("x" * 5000)))
            assert await closed(greedy) == protocol.Close.TOO_BIG
        await bob.append("still fits")
        await bob.saved()
        await ann.sees("fits still fits")
    assert len(await world.journal(doc)) == 2


async def test_before_most_of_a_document_is_deleted_it_is_kept_and_its_owner_told(
    node: Node, collab: Collab, world: World
) -> None:
    doc = await world.document()
    ann = await join(node, "hocuspocus-4", collab, world, doc)
    await ann.append("a long story " * 300)
    await ann.saved()
    await ann.remove(0, 13 * 299)
    await ann.append("the end")
    await ann.saved()
    kept = f"SELECT name, seq_to FROM revisions WHERE document_id = '{doc}' AND kind = 'named'"
    [(name, seq)] = await world.rows(kept)
    assert name == "Before most of it was deleted"
    payloads = [entry.payload for entry in await world.journal(doc) if entry.seq <= seq]
    before = pycrdt.Doc[pycrdt.Text]()
    for payload in payloads:
        before.apply_update(payload)
    assert str(before.get("text", type=pycrdt.Text)) == "a long story " * 300
    told = f"SELECT user_id FROM notifications WHERE document_id = '{doc}' AND kind = 'document.emptied'"
    assert await world.rows(told) == [(world.actor.user_id,)]
    noted = f"SELECT actor_id FROM audit_events WHERE target_id = '{doc}' AND action = 'document.emptied'"
    assert await world.rows(noted) == [(world.actor.user_id,)]


async def test_probes(collab: Collab) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{collab.http}/healthz")).text == "ok"
        assert (await client.get(f"{collab.http}/readyz")).status_code == 200
        assert "doxie_collab_sockets" in (await client.get(f"{collab.http}/metrics")).text
        assert (await client.get(f"{collab.http}/elsewhere")).status_code == 404


async def test_firefox_gets_in(collab: Collab, world: World) -> None:
    """It asks to keep the connection alive and to upgrade it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", collab.port)
    writer.write(
        b"GET /collab HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert b" 101 " in await reader.readline()
    writer.close()
