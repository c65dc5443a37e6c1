"""Persisting documents: exactly one result, whatever happens on the way."""

import asyncio
import hashlib
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from pycrdt import Doc, Text
from sqlalchemy import text
from sqlmodel import select

from flows import retrying
from flows.runtime import Runtime
from infra import clock
from infra.storage import StoreFailing
from models import outbox, revisions
from models.documents import DocumentGone, state
from models.documents.tables import QuarantinedUpdate
from tests.flows.desk import Desk, dispatching, ended, port_of, settled, storing_at, typing, until
from tests.flows.valve import Valve


async def text_of(worker: Runtime, desk: Desk, sha256: str | None) -> str:
    assert sha256 is not None
    doc: Doc[Any] = Doc()
    doc.apply_update(await state.read_snapshot(worker.store, desk.org_id, sha256))
    return str(doc.get("text", type=Text))


async def test_a_burst_of_edits_becomes_one_verified_revision(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    updates = typing("Note G")
    async with dispatching(worker):
        for update in updates:
            await desk.write(document_id, update)
        await settled(worker, [document_id])

    [revision] = await desk.revisions(document_id)
    assert (revision.seq_from, revision.seq_to, revision.state) == (1, 6, "stored")
    assert revision.authors == [desk.actor.user_id]
    assert await text_of(worker, desk, revision.sha256) == "Note G"
    chain = bytes(32)
    for update in updates:
        chain = hashlib.sha256(chain + update).digest()
    assert revision.chain == chain

    fold, store, index = await desk.ledger(document_id)
    assert [step.step for step in (fold, store, index)] == ["fold", "store", "index"]
    assert {step.state for step in (fold, store, index)} == {"succeeded"}
    assert fold.hash_in == chain.hex()
    assert fold.hash_out == store.hash_in == store.hash_out == index.hash_in == revision.sha256
    assert {fold.flow_run_id, store.flow_run_id, index.flow_run_id} == {revision.flow_run_id}

    run = await ended(worker, revision.flow_run_id)
    assert run.state_name == "Completed"
    assert run.name == "persist 1 document"
    assert {f"doc:{document_id}", f"org:{desk.org_id}", "kind:persist"} <= set(run.tags)


async def test_repeating_an_event_changes_nothing(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("once"))
    async with dispatching(worker):
        await settled(worker, [document_id])
        before = await desk.revisions(document_id)
        async with worker.db.transaction() as session:
            await outbox.emit(session, outbox.DOCUMENT_CHANGED, [(desk.org_id, document_id)])
        await settled(worker, [document_id])
    assert await desk.revisions(document_id) == before
    assert len(await desk.ledger(document_id)) == 3


async def test_a_replay_folds_again_and_compares(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    updates = typing("twice and thrice")
    async with dispatching(worker):
        await desk.write(document_id, *updates[:5])
        await settled(worker, [document_id])
        await desk.write(document_id, *updates[5:])
        await settled(worker, [document_id])
        before = await desk.revisions(document_id)
        await worker.store.delete(state.snapshot_key(desk.org_id, str(before[-1].sha256)))
        await replay(worker, desk, document_id)
    assert await desk.revisions(document_id) == before
    steps = (await desk.ledger(document_id))[-3:]
    assert [(step.step, step.state) for step in steps] == [
        ("fold", "succeeded"),
        ("store", "succeeded"),
        ("index", "succeeded"),
    ]
    assert steps[0].hash_out == before[-1].sha256
    assert await text_of(worker, desk, before[-1].sha256) == "twice and thrice"  # lost, and made again


async def test_a_replay_that_differs_fails_in_the_open(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("honest"))
    async with dispatching(worker):
        await settled(worker, [document_id])
        async with worker.db.transaction(org_ids=[desk.org_id]) as session:
            [revision] = await desk.revisions(document_id)
            (await session.merge(revision)).sha256 = "0" * 64
        await replay(worker, desk, document_id)
    step = (await desk.ledger(document_id))[-1]
    assert (step.step, step.state) == ("fold", "failed")
    assert "Diverged" in str(step.error)
    assert (await ended(worker, step.flow_run_id)).state_name == "Failed"


async def test_one_document_that_fails_holds_up_no_other(worker: Runtime, desk: Desk) -> None:
    bad, good = await desk.document(), await desk.document()
    doc: Doc[Any] = Doc()
    await desk.write(bad, *typing("first", doc=doc))
    async with dispatching(worker):
        await settled(worker, [bad])
        [base] = await desk.revisions(bad)
        key = state.snapshot_key(desk.org_id, str(base.sha256))
        frame = await worker.store.get(key)
        await worker.store.delete(key)
        await desk.write(bad, *typing(" second", doc=doc))
        await desk.write(good, *typing("fine"))
        await settled(worker, [good])
        await until(lambda: failures(desk, bad))
        assert [revision.state for revision in await desk.revisions(bad)] == ["stored", "pending"]
        await worker.store.put(key, frame)
        await settled(worker, [bad])
    failed = [step for step in await desk.ledger(bad) if step.state == "failed"]
    assert "StateUnavailable" in str(failed[0].error)
    assert (await ended(worker, failed[0].flow_run_id)).state_name == "Failed"
    assert (await desk.ledger(bad))[-1].attempts > 1
    newest = (await desk.revisions(bad))[-1]
    assert await text_of(worker, desk, newest.sha256) == "first second"


async def test_an_update_that_does_not_apply_is_put_aside(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    first, *rest = typing("poison")
    await desk.write(document_id, first, b"\x01\xff\xff", *rest)
    async with dispatching(worker):
        await settled(worker, [document_id])
    [revision] = await desk.revisions(document_id)
    assert await text_of(worker, desk, revision.sha256) == "poison"
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        [put_aside] = await session.scalars(select(QuarantinedUpdate))
    assert (put_aside.seq, put_aside.payload) == (2, b"\x01\xff\xff")


async def test_the_store_is_down_and_comes_back(worker: Runtime, desk: Desk) -> None:
    documents = [await desk.document() for _ in range(3)]
    async with Valve(port_of(worker.settings.s3_endpoint)) as valve:
        await valve.close()
        async with dispatching(storing_at(worker, valve.port)):
            for document_id in documents:
                await desk.write(document_id, *typing("later"))
            for document_id in documents:
                await until(partial(failures, desk, document_id))
            await valve.open()
            await settled(worker, documents)
    for document_id in documents:
        [revision] = await desk.revisions(document_id)
        assert await text_of(worker, desk, revision.sha256) == "later"


async def test_erasing_and_persisting_do_not_wait_for_each_other(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("both"))
    named = {"id": document_id}
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        [revision] = await revisions.capture(session, document_id)
        folded = await revisions.fold(session, worker.store, revision)

    async def settle() -> None:
        async with worker.db.transaction(org_ids=[desk.org_id]) as session:
            await revisions.settle(session, revision, folded, bytes_stored=1, flow_run_id=None)

    async def is_waiting() -> bool:
        async with worker.db.transaction() as session:
            return bool(await session.scalar(text(waiting)))

    async with worker.db.transaction(org_ids=[desk.org_id]) as erasing:
        await erasing.execute(text("SELECT FROM documents WHERE id = :id FOR UPDATE"), named)
        settling = asyncio.create_task(settle())
        await until(is_waiting)
        await erasing.execute(text("DELETE FROM documents WHERE id = :id"), named)
    with pytest.raises(DocumentGone):
        await settling


@pytest.mark.parametrize("body", [b"", b"<Error><Code>InternalError</Code></Error>"])
async def test_a_store_that_fails_is_an_outage(worker: Runtime, body: bytes) -> None:
    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 500 No\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(fail, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        store = storing_at(worker, port).store
        with pytest.raises(StoreFailing) as raised:
            await store.get("orgs/any")
        assert retrying.is_outage(raised.value)
        await store.close()


async def test_an_outage_piles_up_no_revisions(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    first, *later = typing("piles")
    async with Valve(port_of(worker.settings.s3_endpoint)) as valve:
        await valve.close()
        async with dispatching(storing_at(worker, valve.port)):
            await desk.write(document_id, first)
            for attempts in (1, 2, 3):
                await until(partial(failures, desk, document_id, attempts))
                await desk.write(document_id, later.pop(0))
            await valve.open()
            await desk.write(document_id, *later)
            await settled(worker, [document_id], 40)
    before, after = await desk.revisions(document_id)
    assert (before.seq_from, before.seq_to, after.seq_from, after.seq_to) == (1, 1, 2, 5)
    assert await text_of(worker, desk, after.sha256) == "piles"


async def test_edits_do_not_hurry_what_has_failed(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("wait"))
    subjects = [(desk.org_id, document_id)]
    async with worker.db.transaction() as session:
        await outbox.emit(session, outbox.DOCUMENT_CHANGED, subjects)
    [claim] = await claimed(worker)
    async with worker.db.transaction() as session:
        await outbox.retry(session, claim, error="the store is down", delay=1000)
    await desk.write(document_id, *typing("!"))
    async with worker.db.transaction() as session:
        await session.execute(text("UPDATE outbox SET created_at = created_at - interval '1 hour'"))
    await desk.write(document_id, *typing("!"))
    assert await claimed(worker) == []
    async with worker.db.transaction() as session:
        await outbox.emit(session, outbox.DOCUMENT_CHANGED, subjects)
    assert [claim.attempts for claim in await claimed(worker)] == [1]


async def claimed(worker: Runtime) -> list[outbox.Claim]:
    async with worker.db.transaction() as session:
        return await outbox.claim(session, outbox.DOCUMENT_CHANGED, lease_id=clock.new_id(), limit=9, lease=60)


async def failures(desk: Desk, document_id: UUID, enough: int = 1) -> bool:
    return sum(step.state == "failed" for step in await desk.ledger(document_id)) >= enough


async def replay(worker: Runtime, desk: Desk, document_id: UUID) -> None:
    async with worker.db.transaction() as session:
        await outbox.emit(session, outbox.DOCUMENT_CHANGED, [(desk.org_id, document_id)], payload={"replay_of": "test"})
    await settled(worker, [document_id])
