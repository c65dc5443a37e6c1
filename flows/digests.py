"""The flows that mail people what they have not read."""

from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import leases, metrics, runtime
from infra import clock, postgres_tools
from models import digests, outbox
from models.outbox import Claim


@flow(name="send_digests", flow_run_name=runtime.dated("send digests"), retries=2, retry_delay_seconds=300)
async def send_digests() -> State[Any]:
    """Mail everybody who wants it the digest of today. Done again, or by two workers, it sends none twice."""
    day, mails, told = clock.now().date(), 0, 0
    async with runtime.opened() as worker, leases.held(worker, "send_digests"), runtime.owner(worker) as owner:
        await postgres_tools.require_all_rows(worker.settings.database_url.get_secret_value())
        async with owner.transaction() as session:
            people = await digests.due(session, day)
        for user_id in people:
            async with worker.db.transaction(user_id=user_id) as session:
                found = await digests.send_daily(session, worker.settings, user_id, day)
            mails, told = mails + (found > 0), told + found
    metrics.count("digests", "daily", mails)
    return Completed(message=f"{mails} digests of {told} notifications")


@flow(name="mail_notifications", persist_result=False, result_storage=runtime.NOWHERE)
async def mail_notifications(user_id: UUID, claim: Claim) -> State[Any]:
    """Mail somebody who wants to know at once what is new."""
    async with runtime.opened() as worker:
        try:
            async with worker.db.transaction(user_id=user_id) as session:
                await outbox.confirm(session, claim)
                found = await digests.send_soon(session, worker.settings, user_id)
                await outbox.settle(session, [claim])
        except outbox.LeaseLost:
            return Completed(message="somebody else mails them")
    metrics.count("digests", "immediate", int(found > 0))
    return Completed(message=f"{found} notifications")
