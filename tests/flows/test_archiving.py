"""Archiving is lossless: every seq and every revision still opens, and a kill anywhere leaves everything."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Generator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pycrdt import Doc
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from flows import archiving, runtime
from flows.archiving import Moved
from flows.runtime import Runtime
from infra.db import Database
from models import archive, orgs, revisions
from models.archive import NothingToArchive, Plan
from models.documents import HistoryUnavailable, history, journal, state
from models.documents.segments import SegmentDamaged
from tests.flows.desk import Desk, dispatching, settled, typing
from tests.people import text_of

NOW = timedelta(0)


@pytest.fixture(scope="module")
async def owner(worker: Runtime) -> AsyncIterator[Database]:
    async with runtime.owner(worker) as db:
        yield db


async def text_at(desk: Desk, document_id: UUID, seq: int | None = None) -> str:
    worker = desk.worker
    async with worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        scope = await orgs.enter(session, desk.actor, desk.org_id)
        return text_of(await revisions.state_at(session, scope, worker.store, document_id, seq), "text")


async def rows_of(owner: Database, desk: Desk, document_id: UUID) -> list[int]:
    query = text("SELECT seq FROM document_updates WHERE document_id = :id ORDER BY seq")
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        return list(await session.scalars(query, {"id": document_id}))


async def written(desk: Desk, *words: str) -> UUID:
    """A document with a stored revision after each word."""
    document_id, doc = await desk.document(), Doc[Any]()
    async with dispatching(desk.worker):
        for word in words:
            await desk.write(document_id, *typing(word, doc=doc))
            await settled(desk.worker, [document_id])
    return document_id


async def test_every_seq_and_revision_opens_after_archiving(worker: Runtime, desk: Desk, owner: Database) -> None:
    document_id = await written(desk, "first ", "second ", "third")
    whole = "first second third"
    plan = Plan(desk.org_id, document_id)
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        before = await journal.tail(session, document_id, after=0)
    segment = await archive.archive(owner, worker.store, plan, age=NOW)
    assert (segment.seq_from, segment.seq_to) == (1, len(whole))
    assert await rows_of(owner, desk, document_id) == []
    with pytest.raises(NothingToArchive):
        await archive.archive(owner, worker.store, plan, age=NOW)
    for seq in range(len(whole) + 1):
        assert await text_at(desk, document_id, seq) == whole[:seq]
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        assert await history.entries(session, worker.store, document_id, after=0) == before
        assert await history.entries(session, worker.store, document_id, after=3, upto=9) == before[3:9]
        for after in (0, 3):
            with pytest.raises(journal.Archived):  # nobody takes what is left for everything
                await journal.tail(session, document_id, after=after)
        assert await journal.tail(session, document_id, after=len(whole)) == []
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        findings = await revisions.verify(session, worker.store, document_id)
    assert all(finding.ok for finding in findings), findings

    # It goes on: more edits, another revision, another segment, and a name while all is archived.
    doc = Doc[Any]()
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        for entry in before:
            doc.apply_update(entry.payload)
    async with dispatching(worker):
        await desk.write(document_id, *typing(" fourth", doc=doc))
        await settled(worker, [document_id])
    second = await archive.archive(owner, worker.store, plan, age=NOW)
    assert second.seq_from == segment.seq_to + 1
    async with worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        scope = await orgs.enter(session, desk.actor, desk.org_id)
        named = await revisions.name(session, scope, document_id, name="All archived")
    assert named.chain == second.chain
    assert await text_at(desk, document_id, 20) == "first second third f"
    async with dispatching(worker):
        await settled(worker, [document_id])
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        assert all(finding.ok for finding in await revisions.verify(session, worker.store, document_id))


async def test_only_what_is_folded_and_old_goes(worker: Runtime, desk: Desk, owner: Database) -> None:
    document_id = await written(desk, "folded")
    plan = Plan(desk.org_id, document_id)
    with pytest.raises(NothingToArchive):
        await archive.archive(owner, worker.store, plan, age=timedelta(hours=1))
    await desk.write(document_id, *typing(" and not"))  # in no revision yet
    segment = await archive.archive(owner, worker.store, plan, age=NOW)
    assert segment.seq_to == len("folded")
    assert await rows_of(owner, desk, document_id) == list(range(7, 15))
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        assert await archive.candidates(session, desk.org_id, age=NOW) == []


async def test_a_damaged_journal_stays_where_it_is(worker: Runtime, desk: Desk, owner: Database) -> None:
    document_id = await written(desk, "damaged")
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        flip = "UPDATE document_updates SET payload = set_byte(payload, 3, 99) WHERE document_id = :id AND seq = 4"
        await session.execute(text(flip), {"id": document_id})
    with pytest.raises(SegmentDamaged, match="breaks at seq 4"):
        await archive.archive(owner, worker.store, Plan(desk.org_id, document_id), age=NOW)
    moved = Moved()
    await archiving.archive_document(worker, owner, Plan(desk.org_id, document_id), moved, NOW)
    assert (moved.failed, moved.updates) == (1, 0)
    assert len(await rows_of(owner, desk, document_id)) == 7
    assert "SegmentDamaged" in str((await desk.ledger(document_id))[-1].error)


async def test_a_damaged_segment_is_found_and_never_taken_for_history(
    worker: Runtime, desk: Desk, owner: Database
) -> None:
    document_id = await written(desk, "kept safe")
    segment = await archive.archive(owner, worker.store, Plan(desk.org_id, document_id), age=NOW)
    key = history.segment_key(desk.org_id, segment.sha256)
    frame = await worker.store.get(key)
    await worker.store.put(key, frame[:-6] + bytes([frame[-6] ^ 1]) + frame[-5:])
    with pytest.raises(HistoryUnavailable):
        await text_at(desk, document_id, 3)
    assert await text_at(desk, document_id) == "kept safe"  # the newest state needs no history
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        findings = await revisions.verify(session, worker.store, document_id)
    assert [finding.check for finding in findings if not finding.ok] == ["journal"]
    await worker.store.put(key, frame)
    assert await text_at(desk, document_id, 3) == "kep"


async def test_the_application_cannot_archive(worker: Runtime, desk: Desk, owner: Database) -> None:
    document_id = await written(desk, "mine")
    with pytest.raises(ProgrammingError, match="permission denied"):
        await archive.archive(worker.db, worker.store, Plan(desk.org_id, document_id), age=NOW)
    assert len(await rows_of(owner, desk, document_id)) == 4


async def test_old_snapshots_go_where_folding_again_gives_the_same(
    worker: Runtime, desk: Desk, owner: Database
) -> None:
    words = ["one ", "two ", "three ", "four"]
    document_id = await written(desk, *words)
    plan = Plan(desk.org_id, document_id)
    assert await archive.thin(owner, worker.store, plan, age=timedelta(hours=1)) == 0
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        # One that would come out differently keeps its snapshot.
        query = "UPDATE revisions SET sha256 = repeat('0', 64) WHERE document_id = :id AND number = 3"
        await session.execute(text(query), {"id": document_id})
    await archive.archive(owner, worker.store, plan, age=NOW)
    assert await archive.thin(owner, worker.store, plan, age=NOW) == 2
    assert [revision.state for revision in await desk.revisions(document_id)] == [
        "derived",
        "derived",
        "stored",
        "stored",
    ]
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        query = "UPDATE revisions SET state = 'derived' WHERE document_id = :id AND number = 3"
        await session.execute(text(query), {"id": document_id})
        referenced = await archive.referenced(session)
    for revision in (await desk.revisions(document_id))[:2]:
        await worker.store.delete(state.snapshot_key(desk.org_id, str(revision.sha256)))
        assert state.snapshot_key(desk.org_id, str(revision.sha256)) not in referenced
    whole = "".join(words)
    for revision in await desk.revisions(document_id):
        assert await text_at(desk, document_id, revision.seq_to) == whole[: revision.seq_to]
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        findings = await revisions.verify(session, worker.store, document_id)
    assert all(finding.ok for finding in findings), findings


class Interrupted:
    """Runs a coroutine, and cancels it at its n-th suspension: what a kill at that point leaves behind."""

    def __init__(self, work: Coroutine[Any, Any, object], at: int) -> None:
        self.work, self.left = work, at

    def __await__(self) -> Generator[Any, Any, bool]:
        """Whether it ended before its time came."""
        steps = self.work.__await__()
        try:
            waited = steps.send(None)
            while True:
                self.left -= 1
                if self.left == -1:
                    waited = steps.throw(asyncio.CancelledError("killed here"))  # it may have to clear up
                try:
                    answer = yield waited
                except BaseException as error:
                    waited = steps.throw(error)
                else:
                    waited = steps.send(answer)
        except StopIteration:
            return True
        except asyncio.CancelledError:
            return False


async def test_a_kill_at_each_step_is_harmless(worker: Runtime, desk: Desk, owner: Database) -> None:
    word = "never lost"
    document_id = await written(desk, word)
    plan = Plan(desk.org_id, document_id)
    killed = 0
    while not await Interrupted(archive.archive(owner, worker.store, plan, age=NOW), killed):
        killed += 1
        left = await rows_of(owner, desk, document_id)
        assert len(left) in {0, len(word)}
        assert await text_at(desk, document_id, 4) == word[:4]
        async with owner.transaction(org_ids=[desk.org_id]) as session:
            assert all(finding.ok for finding in await revisions.verify(session, worker.store, document_id))
        if not left:  # the commit had happened when the kill came: begin again with another document
            document_id = await written(desk, word)
            plan = Plan(desk.org_id, document_id)
    assert killed > 5
