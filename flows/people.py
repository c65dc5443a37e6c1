"""The flows about people: what they ask for before anybody knows who they are."""

from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import retrying, runtime
from infra.sealing import SealBroken
from models import auth, outbox
from models.outbox import Claim


@flow(name="answer_link_request", persist_result=False, result_storage=runtime.NOWHERE)
async def answer_link_request(request_id: UUID, claim: Claim) -> State[Any]:
    """Mail somebody the link they asked for, if there is such an account."""
    async with runtime.opened() as worker:
        try:
            async with worker.db.transaction() as session:
                await auth.answer(session, worker.settings, request_id)
                await outbox.confirm(session, claim)
                await outbox.settle(session, [claim])
        except outbox.LeaseLost:
            return Completed(message="somebody else answers it")
        except SealBroken as error:
            async with worker.db.transaction() as session:
                delay = retrying.delay(claim.attempts)
                await outbox.retry(session, claim, error="not sealed with this secret key", delay=delay)
            return Failed(message=f"{type(error).__name__}: not sealed with this secret key")
    # Not what was done: flow runs are shown to people who need not know who has an account.
    return Completed(message="answered")
