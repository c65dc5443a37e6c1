"""The flows about people: links they ask for, what is known about them, and forgetting them."""

import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import metrics, retrying, runtime
from flows.runtime import Runtime
from infra import postgres_tools
from infra.db import Database
from infra.sealing import SealBroken
from models import auth, outbox, people
from models.outbox import Claim
from models.people import PersonalExport, Postponed

ATTEMPTS = 5
"""After so many an export has failed."""


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


@flow(name="export_person", persist_result=False, result_storage=runtime.NOWHERE)
async def export_person(export_id: UUID, claim: Claim) -> State[Any]:
    """Collect everything that is known about somebody into a zip, and store it for them."""
    async with runtime.opened() as worker:
        async with worker.db.transaction() as session:
            export = await people.find_export(session, export_id)
            if claim.subject_id not in await outbox.held(session, claim.lease_id):
                return Completed(message="somebody else makes it")
            if export is not None and export.state != "pending":
                await outbox.settle(session, [claim])
                return Completed(message="there is nothing to make any more")
        if export is None:
            return await _take_back(worker, claim)
        try:
            message = await _collect(worker, export, claim)
        except outbox.LeaseLost:
            return Completed(message="somebody else makes it")
        except Exception as error:
            return await _not_collected(worker, export, claim, error)
        if message is None:
            return await _take_back(worker, claim)
    metrics.count("personal_exports", "succeeded")
    return Completed(message=message)


async def _collect(worker: Runtime, export: PersonalExport, claim: Claim) -> str | None:
    """What there is now, or None: nobody is left to have it."""
    with tempfile.TemporaryDirectory(prefix="person-", dir=worker.settings.home) as directory:
        path = Path(directory) / "export.zip"
        documents = await people.archive(worker.db, worker.store, export.user_id, path)
        sha256, size = await worker.store.put_file(people.object_key(export), path), path.stat().st_size
    async with worker.db.transaction() as session:
        flow_run_id = runtime.flow_run_id()
        if not await people.settle_export(session, export.id, sha256=sha256, size=size, flow_run_id=flow_run_id):
            return None
        await outbox.confirm(session, claim)
        await outbox.settle(session, [claim])
    return f"{documents} documents, {size} bytes"


async def _take_back(worker: Runtime, claim: Claim) -> State[Any]:
    """Whoever asked was erased meanwhile: what this attempt or one before has stored goes, too."""
    if user_id := claim.payload.get("user_id"):
        await worker.store.delete(people.export_key(UUID(user_id), claim.subject_id))
    async with worker.db.transaction() as session:
        await outbox.settle(session, [claim])
    return Completed(message="there is nobody to make it for any more")


async def _not_collected(worker: Runtime, export: PersonalExport, claim: Claim, error: Exception) -> State[Any]:
    reason = f"{type(error).__name__}: {error}"
    is_over = claim.attempts >= ATTEMPTS or retrying.is_pointless(error)
    is_gone = False
    async with worker.db.transaction() as session:
        if not is_over:
            await outbox.retry(session, claim, error=reason, delay=retrying.delay(claim.attempts))
        elif await people.fail_export(session, export.id, reason, flow_run_id=runtime.flow_run_id()):
            await outbox.settle(session, [claim])
        else:
            is_gone = True
    if is_gone:
        return await _take_back(worker, claim)
    metrics.count("personal_exports", "failed" if is_over else "put_off")
    return Failed(message=reason)


@flow(name="expire_personal_export", persist_result=False, result_storage=runtime.NOWHERE)
async def expire_personal_export(export_id: UUID, claim: Claim) -> State[Any]:
    """Remove an export that was there long enough."""
    async with runtime.opened() as worker:
        async with worker.db.transaction() as session:
            export = await people.find_export(session, export_id)
        if export is not None:
            await worker.store.delete(people.object_key(export))
        async with worker.db.transaction() as session:
            await people.expire(session, export_id)
            await outbox.settle(session, [claim])
    return Completed(message="removed")


@flow(name="erase_account", persist_result=False, result_storage=runtime.NOWHERE)
async def erase_account(user_id: UUID, claim: Claim) -> State[Any]:
    """Forget somebody who asked for it, unless they took it back; the report stays in `erasures`.

    As the owner of the tables: the application's role can neither change logs nor see every organization.
    """
    async with runtime.opened() as worker:
        url = worker.settings.database_url.get_secret_value()
        await postgres_tools.require_all_rows(url)
        owner = Database(url, pool_size=1)
        try:
            async with owner.transaction() as session:
                outcome = await people.erase(session, user_id, flow_run_id=runtime.flow_run_id())
                await outbox.confirm(session, claim)
                if isinstance(outcome, Postponed):
                    await outbox.retry(session, claim, error="not due yet", delay=outcome.seconds)
                elif outcome is None:
                    await outbox.settle(session, [claim])
            if isinstance(outcome, Postponed):
                return Completed(message=f"not due for another {outcome.seconds:.0f} s")
            if outcome is None:
                return Completed(message="there is nothing to erase any more")
            # Where this is interrupted it is done again: the event stays until nothing is left.
            for key, _ in await worker.store.list(people.object_prefix(user_id)):
                await worker.store.delete(key)
            async with owner.transaction() as session:
                await outbox.settle(session, [claim])
        except outbox.LeaseLost:
            return Completed(message="somebody else does it")
        finally:
            await owner.close()
    metrics.count("erasures", "succeeded")
    return Completed(message=f"{sum(outcome.deleted.values())} rows deleted")
