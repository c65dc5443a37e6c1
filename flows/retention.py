"""The flow that thins automatic revisions out, as the policy of an organization says."""

from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import metrics, runtime
from infra import clock
from models import documents, outbox, revisions
from models.outbox import Claim
from models.revisions.retention import AGAIN_SECONDS


@flow(name="thin_revisions", persist_result=False, result_storage=runtime.NOWHERE)
async def thin_revisions(org_id: UUID, claim: Claim | None = None) -> State[Any]:
    """Remove the automatic revisions that an organization does not keep. Due again a day later."""
    async with runtime.opened() as worker:
        async with worker.db.transaction(org_ids=[org_id]) as session:
            found = await revisions.crowded(session, org_id)
        removed = 0
        rules, crowded = found or (None, [])
        for document_id in crowded:
            assert rules is not None, "only a policy names documents"
            try:
                async with worker.db.transaction(org_ids=[org_id]) as session:
                    removed += await revisions.thin(session, rules, document_id, now=clock.now())
            except documents.DocumentGone:
                continue
        if claim is not None:
            await _settle(worker, org_id, claim, again=rules is not None)
    metrics.count("revisions", "thinned", removed)
    return Completed(message=f"{removed} revisions of {len(crowded)} documents removed")


async def _settle(worker: runtime.Runtime, org_id: UUID, claim: Claim, *, again: bool) -> None:
    async with worker.db.transaction(org_ids=[org_id]) as session:
        await outbox.settle(session, [claim])
        if again:
            due = [(org_id, org_id)]
            await outbox.emit(session, outbox.RETENTION_DUE, due, quiet=AGAIN_SECONDS, max_age=AGAIN_SECONDS)
