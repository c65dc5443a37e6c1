"""The flow that makes exports."""

from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import metrics, retrying, runtime
from flows.archives import Archiver
from flows.ledger import Ledger, Subject
from flows.runtime import Runtime
from models import documents, exports, outbox, pipeline
from models.auth import Actor
from models.exports import Export, Rendered
from models.outbox import Claim

ATTEMPTS = 5
"""After so many an export has failed."""


@flow(name="export_document", persist_result=False, result_storage=runtime.NOWHERE)
async def export_document(export_id: UUID, org_id: UUID, claim: Claim | None = None) -> State[Any]:
    """Make an export with the rights of whoever asked for it, and store it.

    Without a claim (run by hand) it is made again whatever became of it.
    """
    async with runtime.opened() as worker:
        async with worker.db.transaction(org_ids=[org_id]) as session:
            try:
                export = await exports.find(session, export_id)
            except exports.ExportNotFound:
                if claim is not None:
                    await outbox.settle(session, [claim])
                return Completed(message="its document was deleted for good")
            if claim is not None and claim.subject_id not in await outbox.held(session, claim.lease_id):
                return Completed(message="somebody else makes it")
        attempts = claim.attempts if claim else 1
        ledger = Ledger("export", org_id, export.document_id, attempts, runtime.flow_run_id())
        try:
            if export.document_id is None:
                archived = await Archiver(worker, export, ledger, claim).make()
                metrics.count("exports", "succeeded")
                return Completed(message=f"{archived.files} files, {archived.bytes} bytes")
            rendered = await _make(worker, export, ledger, claim)
        except outbox.LeaseLost:
            return Completed(message="somebody else makes it")
        except Exception as error:
            await _failed(worker, export, ledger, claim, error)
            metrics.count("exports", "failed")
            return Failed(message=f"{type(error).__name__}: {error}")
    metrics.count("exports", "succeeded")
    return Completed(message=f"{export.format} as of seq {rendered.seq}, {len(rendered.data)} bytes")


async def _make(worker: Runtime, export: Export, ledger: Ledger, claim: Claim | None) -> Rendered:
    with ledger.step("render", Subject(export.id)) as step:
        rendered = await _render(worker, export)
        step.seq_to, step.hash_out, step.bytes_out = rendered.seq, rendered.sha256, len(rendered.data)
    with ledger.step("store", Subject(export.id, seq_to=rendered.seq), hash_in=rendered.sha256) as step:
        await worker.store.put(exports.object_key(export.org_id, rendered.sha256), rendered.data)
        step.hash_out, step.bytes_out = rendered.sha256, len(rendered.data)
    async with worker.db.transaction(org_ids=[export.org_id]) as session:
        await exports.settle(session, export, rendered, flow_run_id=ledger.flow_run_id)
        await pipeline.record(session, ledger.steps)
        if claim is not None:
            await outbox.confirm(session, claim)
            await outbox.settle(session, [claim])
    return rendered


async def _render(worker: Runtime, export: Export) -> Rendered:
    actor = Actor(export.requested_by, None, "", frozenset({export.org_id}))
    async with worker.db.transaction(user_id=actor.user_id, org_ids=actor.org_ids) as session:
        assert export.document_id is not None, "archives are made otherwise"
        document, scope = await documents.enter(session, actor, export.document_id)
        loaded = await exports.load(session, scope, worker.store, export)
    # Converters take seconds: no transaction waits for them.
    return await exports.render(export, loaded, title=document.title)


async def _failed(worker: Runtime, export: Export, ledger: Ledger, claim: Claim | None, error: Exception) -> None:
    async with worker.db.transaction(org_ids=[export.org_id]) as session:
        await pipeline.record(session, ledger.failed(error))
        if claim is not None and not retrying.is_pointless(error) and claim.attempts < ATTEMPTS:
            await outbox.retry(session, claim, error=repr(error), delay=retrying.delay(claim.attempts))
            return
        await exports.fail(session, export, str(error), flow_run_id=ledger.flow_run_id)
        if claim is not None:
            await outbox.settle(session, [claim])
