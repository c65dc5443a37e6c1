"""Five unmodified clients of all kinds, who edit at random, go offline and lose their connections: all end up the same.

The same, that is: every replica, what the journal replays to, and the snapshot that the pipeline folds from it.
"""

import asyncio
import random
from contextlib import suppress
from uuid import UUID

import pytest

from infra.storage import ObjectStore
from models import documents, revisions
from tests.clients import ClientError, Kind, Node, YClient
from tests.collab.test_clients import join
from tests.collab.world import Collab, World, running

KINDS: tuple[Kind, ...] = ("y-websocket", "hocuspocus-3", "hocuspocus-4", "y-websocket", "hocuspocus-4")
ROUNDS = 12
PATIENCE = 60.0


class Crowd:
    """Clients of one document, and what chance lets happen to them."""

    def __init__(self, clients: list[YClient], seed: int) -> None:
        self.clients = clients
        self.random = random.Random(seed)
        self._offline: dict[YClient, int] = {}

    async def round(self) -> None:
        """Everybody edits at the same time; some leave, lose their connection or come back."""
        await asyncio.gather(*(self._act(client) for client in self.clients))

    async def come_together(self) -> None:
        """Everybody is online and waits until they have what everybody else has."""
        for client in self._offline:
            await client.call("reconnect")
        self._offline.clear()
        for client in self.clients:
            await client.synced(60_000)

    async def _act(self, client: YClient) -> None:
        seed, count = self.random.randrange(2**31), self.random.randrange(1, 8)
        what = self.random.random()
        await client.call("scribble", seed=seed, count=count)
        if client in self._offline:
            self._offline[client] -= 1
            if self._offline[client] <= 0:
                del self._offline[client]
                await client.call("reconnect")
        elif what < 0.12:
            self._offline[client] = self.random.randrange(1, 4)
            await client.call("disconnect")
        elif what < 0.25:
            await client.call("drop")
        await asyncio.sleep(self.random.random() * 0.02)


async def contents(node: Node, world: World, doc: UUID, clients: list[YClient]) -> dict[str, str]:
    """What everybody has, and what the journal makes."""
    found = {f"{number} {client.kind}": await client.call("content") for number, client in enumerate(clients)}
    replay = [entry.payload.hex() for entry in await world.journal(doc)]
    with suppress(ClientError):  # not everything has arrived yet
        found["journal"] = await clients[0].call("contentOf", updates=replay)
    return found


async def converged(node: Node, world: World, doc: UUID, clients: list[YClient]) -> str:
    """Wait until everybody and the journal have the same; what it is."""
    found: dict[str, str] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while "journal" not in found or len(set(found.values())) > 1:
                await asyncio.sleep(0.1)
                found = await contents(node, world, doc, clients)
    except TimeoutError:
        states = [await client.state() for client in clients]
        lines = "\n".join(f"{name}: {content}" for name, content in found.items())
        pytest.fail(f"no convergence:\n{lines}\n{states}")
    return found["journal"]


async def snapshot(world: World, doc: UUID) -> list[bytes]:
    """Fold and store the document as the pipeline does, and read what it is opened from then."""
    store = ObjectStore(world.settings)
    async with world.db.transaction(org_ids=[world.org_id]) as session:
        for revision in await revisions.capture(session, doc):
            folded = await revisions.fold(session, store, revision)
            size = await revisions.store_snapshot(store, revision, folded)
            await revisions.settle(session, revision, folded, bytes_stored=size, flow_run_id=None)
    async with world.db.transaction(org_ids=[world.org_id]) as session:
        loaded = await documents.load(session, store, doc)
    await store.close()
    return loaded.updates


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_all_replicas_the_journal_and_the_snapshot_converge(
    node: Node, collab: Collab, world: World, seed: int
) -> None:
    doc = await world.document()
    crowd = Crowd([await join(node, kind, collab, world, doc) for kind in KINDS], seed)
    for _ in range(ROUNDS):
        await crowd.round()
    await crowd.come_together()
    content = await converged(node, world, doc, crowd.clients)
    assert len(content) > 200
    updates = await snapshot(world, doc)
    assert len(updates) == 1, "nothing but the snapshot"
    stored = await crowd.clients[0].call("contentOf", updates=[update.hex() for update in updates])
    assert stored == content
    late = await join(node, "hocuspocus-4", collab, world, doc)
    assert await late.call("content") == content
    entries = await world.journal(doc)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    for client in [*crowd.clients, late]:
        await client.destroy()
    assert node.uncaught == []


async def test_they_converge_although_the_server_crashes(node: Node, world: World) -> None:
    doc = await world.document()
    async with running(world.settings) as collab:
        crowd = Crowd([await join(node, kind, collab, world, doc) for kind in KINDS], 4)
        for number in range(ROUNDS):
            await crowd.round()
            if number % 5 == 2:
                await collab.kill()
                await collab.start()
        await crowd.come_together()
        await converged(node, world, doc, crowd.clients)
        for client in crowd.clients:
            await client.destroy()
