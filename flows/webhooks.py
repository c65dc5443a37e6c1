"""The flow that delivers to webhooks."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import metrics, retrying, runtime
from flows.runtime import Runtime
from infra import clock, outgoing
from infra.logging import get_logger
from models import outbox, webhooks
from models.outbox import Claim
from models.webhooks import Due

log = get_logger(__name__)

ATTEMPTS = 12
"""After so many, about half an hour, a delivery has failed."""


@flow(name="deliver_webhook", persist_result=False, result_storage=runtime.NOWHERE)
async def deliver_webhook(claim: Claim) -> State[Any]:
    """Send an event to a webhook.

    Once, except where this process dies between the answer and the commit: then it is sent again, with the same
    `webhook-id`, by which a receiver knows it.
    """
    async with runtime.opened() as worker:
        async with worker.db.transaction(org_ids=[claim.org_id]) as session:
            if claim.subject_id not in await outbox.held(session, claim.lease_id):
                return Completed(message="somebody else delivers it")
            due = await webhooks.due(session, worker.settings, claim.org_id, claim.subject_id)
            if due is None:
                await outbox.settle(session, [claim])
                return Completed(message="there is nothing to deliver")
        status, error = await _send(worker, due)
        return await _note(worker, claim, due, status, error)


async def _send(worker: Runtime, due: Due) -> tuple[int | None, str | None]:
    """The status of the answer, and what went wrong."""
    headers = webhooks.signed_headers(due.secrets, due.delivery.id, clock.now(), due.body)
    headers |= {"content-type": "application/json", "user-agent": "Doxie"}
    private = worker.settings.webhooks_to_private
    try:
        answer = await outgoing.post(due.url, due.body, headers, allow_private=private)
    except (outgoing.Forbidden, outgoing.Unanswered) as error:
        return None, str(error)
    return answer.status, None if 200 <= answer.status < 300 else f"answered {answer.status}: {answer.text[:300]}"


async def _note(worker: Runtime, claim: Claim, due: Due, status: int | None, error: str | None) -> State[Any]:
    run = runtime.flow_run_id()
    is_over = due.delivery.attempts + 1 >= ATTEMPTS or status == 410
    async with worker.db.transaction(org_ids=[claim.org_id]) as session:
        if error is None:
            assert status is not None, "something was answered"
            await webhooks.succeeded(session, claim.org_id, claim.subject_id, status=status, flow_run_id=run)
        elif await webhooks.failed(
            session, claim.org_id, claim.subject_id, status=status, error=error, is_over=is_over, flow_run_id=run
        ):
            log.warning("a webhook is dead", webhook_id=str(due.delivery.webhook_id), error=error)
        if error is None or is_over:
            await outbox.settle(session, [claim])
        else:
            await outbox.retry(session, claim, error=error, delay=retrying.delay(due.delivery.attempts + 1))
    metrics.count("webhooks", "succeeded" if error is None else "failed" if is_over else "put_off")
    return Completed(message=f"answered {status}") if error is None else Failed(message=error)
