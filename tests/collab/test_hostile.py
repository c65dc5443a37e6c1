"""Updates that make the Yjs library fail cost the sender its socket, and nobody else anything."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest
import websockets
from sqlalchemy import Uuid, bindparam, text
from websockets.asyncio.client import ClientConnection, connect

from collab import protocol
from models.yjs import updates
from tests.clients import Node
from tests.collab.fuzz import POISON, mutate, seeds
from tests.collab.sockets import Editor, text_of
from tests.collab.test_clients import join
from tests.collab.test_failures import acknowledged, closed, url
from tests.collab.world import Collab, World, running

_QUARANTINED = text("SELECT payload FROM quarantined_updates WHERE document_id = :id AND seq IS NULL").bindparams(
    bindparam("id", type_=Uuid)
)


async def quarantined(world: World, doc: UUID) -> list[bytes]:
    """The updates of this document that were put aside."""
    async with world.db.transaction(org_ids=[world.org_id]) as session:
        return [bytes(payload) for payload in await session.scalars(_QUARANTINED, {"id": doc})]


async def settled(collab: Collab) -> dict[str, float]:
    """The metrics, once nothing is unsaved."""
    async with asyncio.timeout(30):
        while (metrics := await collab.metrics())["unsaved_bytes"]:
            await asyncio.sleep(0.05)
    return metrics


async def applied(payloads: Sequence[bytes]) -> str:
    """The text in a document made of these updates, made by a process that may die of it."""
    code = (
        "import sys, pycrdt\ndoc = pycrdt.Doc()\nwith doc.transaction():\n"
        " for line in sys.stdin: doc.apply_update(bytes.fromhex(line))\nprint(doc.get_update().hex())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=-1, stdout=-1)
    output, _ = await process.communicate("\n".join(payload.hex() for payload in payloads).encode())
    assert process.returncode == 0, "what is journaled applies"
    return text_of(bytes.fromhex(output.decode()))


async def test_an_update_that_kills_its_keeper_hurts_nobody_else(node: Node, world: World) -> None:
    doc, other = await world.document(), await world.document()
    async with running(world.settings, DOXIE_COLLAB_KEEPERS="1") as collab:
        ann, bob = [await join(node, "y-websocket", collab, world, document) for document in (doc, other)]
        await ann.append("in the same document ")
        await bob.append("elsewhere ")
        await ann.saved()
        await bob.saved()
        pid = collab.pid
        async with connect(url(collab, doc, world.token(doc))) as socket:
            for poison in POISON[:3]:
                await socket.send(protocol.update(poison))
                await acknowledged(socket)
            await socket.send(protocol.update(POISON[3]))
            for client in (ann, bob):
                await client.append("meanwhile ")
            assert await closed(socket) == protocol.Close.MALFORMED
        for client in (ann, bob):
            await client.saved()
            await client.append("afterwards")
            await client.saved()
        metrics = await collab.metrics()
        assert (metrics["keepers_died_total"], metrics["quarantined_total"], collab.pid) == (1, 1, pid)
        assert await quarantined(world, doc) == [POISON[3]]
        late = await join(node, "hocuspocus-4", collab, world, doc)
        assert await late.text() == "in the same document meanwhile afterwards"
    payloads = [entry.payload for entry in await world.journal(doc)]
    assert POISON[3] not in payloads
    assert await applied(payloads) == "in the same document meanwhile afterwards"
    stored = [entry.payload for entry in await world.journal(other)]
    assert await applied(stored) == "elsewhere meanwhile afterwards"


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_a_keeper_that_is_killed_or_hangs_costs_a_moment(node: Node, world: World, end: str) -> None:
    doc = await world.document()
    async with running(world.settings, DOXIE_COLLAB_KEEPERS="1", DOXIE_COLLAB_KEEPER_SECONDS="4") as collab:
        ann, bob = [await join(node, kind, collab, world, doc) for kind in ("hocuspocus-4", "y-websocket")]
        await ann.append("before ")
        await ann.saved()
        [keeper] = collab.children()
        keeper.kill() if end == "kill" else keeper.hang()
        await ann.append("during ")
        await bob.sees("before during ")
        await ann.saved()
        await bob.append("after")
        await bob.saved()
        assert (await collab.metrics())["keepers_died_total"] == 1
        late = await join(node, "y-websocket", collab, world, doc)
        assert await late.text() == "before during after"
    assert await applied([entry.payload for entry in await world.journal(doc)]) == "before during after"


async def test_fuzzed_updates_in_rooms_that_live_long(world: World) -> None:
    """Every socket whose update does not apply is closed, another document is edited throughout, all is journaled."""
    chance, good = random.Random(20261124), seeds()
    docs, other = [await world.document() for _ in range(3)], await world.document()
    async with running(world.settings) as collab:
        pid, codes = collab.pid, Counter[int]()
        sockets: dict[UUID, ClientConnection] = {}
        async with connect(url(collab, other, world.token(other))) as calm:
            editor = Editor(9)
            for number in range(1500):
                if number % 10 == 0:
                    await calm.send(protocol.update(editor.type(f"{number} ")))
                raw = mutate(chance, chance.choice(good), good)
                if not updates.decodes(raw) and chance.random() < 0.9:
                    continue  # those are refused at the door, cheaply: a few are enough
                doc = chance.choice(docs)
                if (socket := sockets.get(doc)) is None:
                    socket = sockets[doc] = await connect(url(collab, doc, world.token(doc)), max_size=None)
                frame = protocol.step2(raw) if chance.random() < 0.2 else protocol.update(raw)
                try:
                    await socket.send(frame)
                    if number % 20 == 0:
                        await acknowledged(socket)
                except websockets.ConnectionClosed as gone:
                    codes[gone.rcvd.code if gone.rcvd else 0] += 1
                    del sockets[doc]
            metrics = await settled(collab)
            assert await told(calm) == 150
        assert (collab.pid, metrics["commits_failed_total"], metrics["loads_failed_total"]) == (pid, 0, 0)
        # 0: the client saw the end before the reason. Without the other one it has tried nothing.
        assert codes.keys() - {0} == {protocol.Close.MALFORMED}
        for socket in sockets.values():
            await socket.close()
    assert await applied([entry.payload for entry in await world.journal(other)]) == str(editor.text)
    aside = [payload for doc in docs for payload in await quarantined(world, doc)]
    assert len(aside) == metrics["quarantined_total"]
    for doc in docs:
        payloads = [entry.payload for entry in await world.journal(doc)]
        assert payloads
        await applied(payloads)


async def told(socket: ClientConnection) -> int:
    """How often this socket was told "saved" by now."""
    count = 0
    while True:
        try:
            async with asyncio.timeout(1):
                count += await socket.recv() == protocol.sync_status(saved=True)
        except TimeoutError:
            return count
