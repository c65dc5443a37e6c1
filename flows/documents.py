"""The flow that persists documents."""

import asyncio
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import metrics, persisting, runtime
from flows.ledger import Ledger
from flows.persisting import Outcome
from flows.runtime import Runtime
from models import outbox
from models.outbox import Claim

AT_ONCE = 8
"""Documents of a batch that are worked on at the same time: most of it is waiting for the stores."""


@flow(
    name="persist_documents",
    validate_parameters=False,
    persist_result=False,
    result_storage=runtime.NOWHERE,
)
async def persist_documents(claims: list[Claim]) -> State[Any]:
    """Fold, store and index a batch of documents that have changed.

    Each document stands alone: one that fails is due again later, the others are done.
    """
    async with runtime.opened() as worker:
        outcomes = await persist_batch(worker, claims)
    failures = [outcome for outcome in outcomes if outcome.error is not None]
    stored = sum(outcome.revisions for outcome in outcomes)
    metrics.count("documents", "failed", len(failures))
    metrics.count("documents", "succeeded", len(outcomes) - len(failures))
    metrics.count("revisions", "stored", stored)
    message = f"{len(outcomes) - len(failures)} of {len(outcomes)} documents, {stored} revisions"
    if failures:
        return Failed(message="; ".join([message, *(_line(failure) for failure in failures[:10])]))
    return Completed(message=message)


async def persist_batch(worker: Runtime, claims: list[Claim]) -> list[Outcome]:
    """Persist those documents of a batch that are still claimed."""
    async with worker.db.transaction() as session:
        held = await outbox.held(session, claims[0].lease_id)
    gate = asyncio.Semaphore(AT_ONCE)
    flow_run_id = runtime.flow_run_id()

    async def persist(claim: Claim) -> Outcome:
        ledger = Ledger("persist", claim.org_id, claim.subject_id, claim.attempts, flow_run_id)
        async with gate:
            return await persisting.persist(worker, claim, ledger)

    return await asyncio.gather(*(persist(claim) for claim in claims if claim.subject_id in held))


def _line(outcome: Outcome) -> str:
    return f"{outcome.claim.subject_id}: {outcome.error}"
