"""The journal on a real Postgres: what is appended comes back, in order, chained, and with its author."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from infra import clock
from models.documents import DocumentFull, DocumentGone, Edit, journal
from models.documents.tables import GENESIS, DocumentStream
from tests.collab import world as worlds
from tests.collab.world import World
from tests.conftest import Stack


@pytest.fixture(scope="module")
async def world(stack: Stack) -> AsyncIterator[World]:
    found = await worlds.found(stack.settings)
    yield found
    await found.db.close()


def edits(world: World, names: list[UUID], random: random.Random, count: int) -> list[Edit]:
    """Edits of several authors and sizes, the documents in any order."""
    authors = [(world.actor.user_id, world.actor.session_id), (world.actor.user_id, None), (None, None)]
    sizes = (1, 25, 300, 70_000)
    return [
        Edit(
            world.org_id,
            random.choice(names),
            random.randbytes(random.choices(sizes, (4, 10, 2, 1))[0]),
            *random.choice(authors),
            random.choice(("socket", "rest", 'a "quoted", {odd} \\ one')),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(3))
async def test_everything_comes_back_in_order_and_chained(world: World, seed: int) -> None:
    chance, names = random.Random(seed), [await world.document() for _ in range(5)]
    written: dict[UUID, list[Edit]] = defaultdict(list)
    for count in (1, 7, 120):
        batch = edits(world, names, chance, count)
        async with world.db.transaction(org_ids=[world.org_id]) as session:
            seqs = await journal.append(session, batch)
        for edit, seq in zip(batch, seqs, strict=True):
            written[edit.document_id].append(edit)
            assert seq == len(written[edit.document_id]), "gapless"
    for name in names:
        async with world.db.transaction(org_ids=[world.org_id]) as session:
            entries = await journal.tail(session, name, after=0)
            stream = await session.get_one(DocumentStream, (world.org_id, name))
        assert [entry.payload for entry in entries] == [edit.payload for edit in written[name]]
        assert [entry.actor_id for entry in entries] == [edit.actor_id for edit in written[name]]
        chain = GENESIS
        for entry in entries:
            chain = journal.link(chain, entry.payload)
            assert entry.chain == chain
        assert stream.chain == chain
        assert stream.seq == len(entries)
        assert stream.bytes_total == sum(len(edit.payload) for edit in written[name])


async def test_all_or_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name, other = await world.document(), await world.document()
    good = Edit(world.org_id, name, b"\0\0", None, None, "rest")
    with pytest.raises(DocumentGone) as gone:
        async with world.db.transaction(org_ids=[world.org_id]) as session:
            await journal.append(session, [good, Edit(world.org_id, nobody := clock.new_id(), b"\0\0", None, None, "")])
    assert gone.value.document_ids == {nobody}
    monkeypatch.setattr(world.settings, "max_document_bytes", 100)
    with pytest.raises(DocumentFull) as full:
        async with world.db.transaction(org_ids=[world.org_id]) as session:
            await journal.append(session, [good, Edit(world.org_id, other, bytes(101), None, None, "rest")])
    assert full.value.document_ids == {other}
    assert await world.journal(name) == []
    assert await world.journal(other) == []


async def test_another_organization_is_out_of_reach(world: World, stack: Stack) -> None:
    stranger = await worlds.found(stack.settings)
    name = await world.document()
    with pytest.raises(DocumentGone):
        async with stranger.db.transaction(org_ids=[stranger.org_id]) as session:
            await journal.append(session, [Edit(stranger.org_id, name, b"\0\0", None, None, "rest")])
    await stranger.db.close()
    assert await world.journal(name) == []
