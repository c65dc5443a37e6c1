"""The flow that sends mails."""

from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import metrics, retrying, runtime
from flows.runtime import Runtime
from infra.mail import Refused, Undelivered, deliver
from infra.sealing import SealBroken
from models import mail, outbox
from models.mail import Mail
from models.outbox import Claim

ATTEMPTS = 40
"""After so many, about two and a half hours, a mail that its server puts off has failed."""
REFUSALS = 3
"""After so many a refusal is believed: servers are misconfigured now and then, for a moment."""


@flow(name="send_mail", persist_result=False, result_storage=runtime.NOWHERE)
async def send_mail(mail_id: UUID, claim: Claim) -> State[Any]:
    """Hand a mail over to its server.

    Once, except where this process dies between the server's answer and the commit: then the mail
    goes out again, with the same Message-ID.
    """
    async with runtime.opened() as worker:
        async with worker.db.transaction() as session:
            if mail_id not in await outbox.held(session, claim.lease_id):
                return Completed(message="somebody else sends it")
            queued = await mail.find(session, mail_id)
            if queued is None or queued.state != "queued":
                await outbox.settle(session, [claim])
                return Completed(message="there is nothing to send any more")
        try:
            await deliver(worker.settings, mail.letter(worker.settings, queued))
        except (Refused, SealBroken) as error:
            return await _put_off(worker, queued, claim, error, attempts=REFUSALS)
        except Undelivered as error:
            return await _put_off(worker, queued, claim, error, attempts=ATTEMPTS)
        await _sent(worker, claim)
    metrics.count("mails", "sent")
    return Completed(message=f"{queued.template} sent")


async def _sent(worker: Runtime, claim: Claim) -> None:
    async with worker.db.transaction() as session:
        # No matter whether the lease still holds: it is sent.
        await mail.sent(session, claim.subject_id, flow_run_id=runtime.flow_run_id())
        await outbox.settle(session, [claim])


async def _put_off(worker: Runtime, queued: Mail, claim: Claim, error: Exception, *, attempts: int) -> State[Any]:
    reason = str(error) or repr(error)
    is_over = queued.attempts + 1 >= attempts
    async with worker.db.transaction() as session:
        await mail.tried(session, queued.id, error=reason, is_over=is_over, flow_run_id=runtime.flow_run_id())
        if is_over:
            await outbox.settle(session, [claim])
        else:
            await outbox.retry(session, claim, error=reason, delay=retrying.delay(queued.attempts + 1))
    metrics.count("mails", "failed" if is_over else "put_off")
    return Failed(message=f"{type(error).__name__}: {reason}")
