"""Persisting one document: journal → revisions → snapshots that were read back → search text."""

from dataclasses import dataclass

from flows import retrying
from flows.ledger import Ledger, Subject
from flows.runtime import Runtime
from infra import hashing
from infra.logging import get_logger
from models import documents, outbox, pipeline, revisions
from models.documents.crdt import Poisoned
from models.outbox import Claim
from models.revisions import Folded, Revision

log = get_logger(__name__)

QUARANTINES = 20
"""So many updates of one revision may be put aside before the attempt is given up."""


class Diverged(RuntimeError):
    """A revision folded once more is not what was stored: something is damaged."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document."""

    claim: Claim
    revisions: int = 0
    error: str | None = None


async def persist(runtime: Runtime, claim: Claim, ledger: Ledger) -> Outcome:
    """Store every revision of a document that waits for it. Never raises but for the database.

    Repeating it is harmless: what is stored already is not stored again, and a worker that has lost
    its lease changes nothing.
    """
    try:
        return Outcome(claim, await _persist(runtime, claim, ledger))
    except outbox.LeaseLost:
        log.warning("lease lost", document_id=str(claim.subject_id))
        return Outcome(claim)
    except documents.DocumentGone:
        async with runtime.db.transaction() as session:
            await outbox.settle(session, [claim])
        return Outcome(claim)
    except Exception as error:
        log.warning("document not persisted", document_id=str(claim.subject_id), error=repr(error))
        await _failed(runtime, claim, ledger, error)
        return Outcome(claim, error=f"{type(error).__name__}: {error}")


async def _persist(runtime: Runtime, claim: Claim, ledger: Ledger) -> int:
    left = await _left(runtime, claim) if claim.attempts > 1 else []
    for revision in left:
        await _save(runtime, claim, ledger, revision, last=False)
    async with runtime.db.transaction(org_ids=[claim.org_id]) as session:
        waiting = await revisions.capture(session, claim.subject_id)
        newest = None if waiting else await revisions.newest_stored(session, claim.subject_id)
    if newest is not None and "replay_of" in claim.payload:
        await _save(runtime, claim, ledger, newest, last=True)
        return len(left)
    for revision in waiting:
        await _save(runtime, claim, ledger, revision, last=revision is waiting[-1])
    if not waiting:
        async with runtime.db.transaction() as session:
            await outbox.settle(session, [claim])
    return len(left) + len(waiting)


async def _left(runtime: Runtime, claim: Claim) -> list[Revision]:
    """What an attempt before this one did not get to store: until that is done, no further revision is captured.

    Else each attempt during an outage would leave one more to be stored after it.
    """
    async with runtime.db.transaction(org_ids=[claim.org_id]) as session:
        return await revisions.pending(session, claim.subject_id)


async def _save(runtime: Runtime, claim: Claim, ledger: Ledger, revision: Revision, *, last: bool) -> None:
    """Store one revision, or check one that is stored; with the last one the event is done."""
    folded = await _fold(runtime, ledger, revision)
    with ledger.step("store", _about(revision), hash_in=folded.sha256) as step:
        step.bytes_out = await revisions.store_snapshot(runtime.store, revision, folded)
        step.hash_out = folded.sha256
    maker = revision.flow_run_id if revision.state == "stored" else ledger.flow_run_id
    async with runtime.db.transaction(org_ids=[claim.org_id]) as session:
        with ledger.step("index", _about(revision), hash_in=folded.sha256) as index:
            index.hash_out = hashing.sha256_hex(folded.text.encode())
            index.bytes_out = len(folded.text.encode())
            await revisions.settle(session, revision, folded, bytes_stored=step.bytes_out, flow_run_id=maker)
        await pipeline.record(session, ledger.steps)
        await outbox.confirm(session, claim)
        if last:
            await outbox.settle(session, [claim])
    ledger.steps.clear()


async def _fold(runtime: Runtime, ledger: Ledger, revision: Revision) -> Folded:
    with ledger.step("fold", _about(revision), hash_in=revision.chain.hex()) as step:
        folded = await _fold_safely(runtime, revision)
        step.hash_out, step.bytes_out = folded.sha256, len(folded.data)
        if revision.state == "stored" and revision.sha256 != folded.sha256:
            raise Diverged(f"revision {revision.number} was stored as {revision.sha256}")
    return folded


async def _fold_safely(runtime: Runtime, revision: Revision) -> Folded:
    """Fold, putting every update that does not apply into quarantine."""
    fold = revisions.refold if revision.state == "stored" else revisions.fold
    for _ in range(QUARANTINES):
        try:
            async with runtime.db.transaction(org_ids=[revision.org_id]) as session:
                return await fold(session, runtime.store, revision)
        except Poisoned as poison:
            async with runtime.db.transaction(org_ids=[revision.org_id]) as session:
                seq = await revisions.quarantine(session, runtime.store, revision, poison)
            document_id = str(revision.document_id)
            log.error("update quarantined", document_id=document_id, seq=seq, error=poison.error)
    raise RuntimeError(f"more than {QUARANTINES} updates do not apply")


async def _failed(runtime: Runtime, claim: Claim, ledger: Ledger, error: Exception) -> None:
    async with runtime.db.transaction(org_ids=[claim.org_id]) as session:
        await pipeline.record(session, ledger.failed(error))
        if isinstance(error, Diverged):
            await outbox.settle(session, [claim])
            return
        delay, fault = retrying.delay_of(error, claim.attempts)
        if await outbox.retry(session, claim, error=repr(error), delay=delay, fault=fault):
            log.error("document set aside", document_id=str(claim.subject_id), error=repr(error))
            await pipeline.record(session, [pipeline.set_aside(claim, "persist", ledger.flow_run_id, repr(error))])


def _about(revision: Revision) -> Subject:
    return Subject(revision.id, revision.seq_from, revision.seq_to)
