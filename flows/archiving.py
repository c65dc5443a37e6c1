"""The flows that move folded updates into the object store, and sweep up what nothing refers to."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import leases, runtime
from flows.ledger import Ledger, Subject
from flows.runtime import Runtime
from infra.db import Database
from infra.logging import get_logger
from models import archive, pipeline
from models.archive import NothingToArchive, Plan

log = get_logger(__name__)

LEAST_ROWS = 200
"""Fewer rows than this wait for more: many small objects cost more than they save …"""
PATIENCE = 14
"""… unless they have waited so many times as long as is asked for."""


@dataclass(slots=True)
class Moved:
    """What was archived."""

    documents: int = 0
    segments: int = 0
    updates: int = 0
    bytes_raw: int = 0
    bytes_stored: int = 0
    snapshots_given_up: int = 0
    failed: int = 0


@flow(name="archive_journals", flow_run_name=runtime.dated("archive journals"), retries=1, retry_delay_seconds=60)
async def archive_journals() -> State[Any]:
    """Move updates that are folded and old out of Postgres. A document that is damaged is left as it is, and named."""
    async with runtime.opened() as worker, runtime.owner(worker) as db, leases.held(worker, "archive_journals"):
        moved = await archive_all(worker, db)
    rows = [{name: getattr(moved, name) for name in Moved.__dataclass_fields__}]
    await runtime.show_table("archived", rows, "What moved from Postgres into the object store")
    message = f"{moved.updates} updates of {moved.documents} documents, {moved.bytes_stored} bytes"
    if moved.failed:
        raise runtime.Incomplete(f"{message}; {moved.failed} documents are damaged")
    return Completed(message=message)


async def archive_all(worker: Runtime, db: Database) -> Moved:
    """Every document there is something to archive of."""
    moved = Moved()
    age = timedelta(hours=worker.settings.archive_after_hours)
    async with db.transaction() as session:
        orgs = await archive.organizations(session)
    for org_id in orgs:
        for plan in await _plans(db, org_id, age):
            moved.documents += 1
            await archive_document(worker, db, plan, moved, age)
            moved.snapshots_given_up += await thin(worker, db, plan, age)
    return moved


async def _plans(db: Database, org_id: UUID, age: timedelta) -> list[Plan]:
    async with db.transaction(org_ids=[org_id]) as session:
        many = await archive.candidates(session, org_id, age=age, least=LEAST_ROWS)
        old = await archive.candidates(session, org_id, age=age * PATIENCE)
    return sorted({*many, *old}, key=lambda plan: plan.document_id)


async def archive_document(worker: Runtime, db: Database, plan: Plan, moved: Moved, age: timedelta) -> None:
    """All of one document that is old enough; what happened is in its ledger."""
    while True:
        ledger = Ledger("archive", plan.org_id, plan.document_id, 1, runtime.flow_run_id())
        try:
            with ledger.step("archive", Subject(plan.document_id)) as step:
                segment = await archive.archive(db, worker.store, plan, age=age, flow_run_id=ledger.flow_run_id)
                step.seq_from, step.seq_to = segment.seq_from, segment.seq_to
                step.hash_in, step.hash_out = segment.chain.hex(), segment.sha256
                step.bytes_out = segment.bytes_stored
        except NothingToArchive:
            return
        except Exception as error:
            log.exception("journal not archived", document_id=str(plan.document_id))
            moved.failed += 1
            await _record(worker, plan, ledger, error)
            return
        await _record(worker, plan, ledger, None)
        moved.segments += 1
        moved.updates += segment.seq_to - segment.seq_from + 1
        moved.bytes_raw += segment.bytes_raw
        moved.bytes_stored += segment.bytes_stored


async def thin(worker: Runtime, db: Database, plan: Plan, age: timedelta) -> int:
    """Give up snapshots that are not needed; none where that goes wrong."""
    try:
        return await archive.thin(db, worker.store, plan, age=age)
    except Exception:
        log.exception("snapshots not given up", document_id=str(plan.document_id))
        return 0


async def _record(worker: Runtime, plan: Plan, ledger: Ledger, error: Exception | None) -> None:
    async with worker.db.transaction(org_ids=[plan.org_id]) as session:
        await pipeline.record(session, ledger.steps if error is None else ledger.failed(error))
