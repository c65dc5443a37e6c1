"""Bringing a document or an organization back from a backup into the running system."""

import shutil
from datetime import datetime
from uuid import UUID

from flows import runtime, scratch
from flows.runtime import Runtime
from infra import clock
from infra.bus import Bus, Kind
from infra.db import Database
from infra.storage import ObjectStore
from models.backups import rows
from models.documents import DocumentGone
from models.errors import DoxieError


async def restore(
    worker: Runtime, moment: datetime | None, *, org_id: UUID | None = None, document_id: UUID | None = None
) -> list[str]:
    """Make a document, or all of an organization, what it was at a moment (the newest there is); a line about each.

    Raises:
        NoBackup: there is no backup of that time.
        BaseDamaged, CannotBackUp, RecoveryFailed: it cannot be restored.
    """
    work = worker.settings.home / f"recovering-{clock.new_id()}"
    work.mkdir(mode=0o700)
    bus = Bus(worker.settings.redis_url.get_secret_value())
    try:
        async with (
            runtime.backup_store(worker) as backups,
            runtime.owner(worker) as owner,
            scratch.restored(worker, backups, work, until=moment) as found,
        ):
            then = Database(found.url, pool_size=2)
            try:
                lines = [f"from {found.source}, as of {found.restored_to}"]
                if document_id is not None:
                    async with then.transaction() as session:
                        org_id = await rows.org_of(session, document_id)
                    return [*lines, await _document(then, owner, worker.store, bus, org_id, document_id)]
                assert org_id is not None, "one of the two is given"
                lines += await _organization(then, owner, org_id)
                async with then.transaction(org_ids=[org_id]) as session:
                    documents = await rows.documents_of(session, org_id)
                lines += [await _document(then, owner, worker.store, bus, org_id, one) for one in documents]
                async with then.transaction(org_ids=[org_id]) as old, owner.transaction(org_ids=[org_id]) as new:
                    await rows.reattach(old, new, org_id, documents)
                return lines
            finally:
                await then.close()
    finally:
        await bus.close()
        shutil.rmtree(work, ignore_errors=True)


async def _organization(then: Database, owner: Database, org_id: UUID) -> list[str]:
    async with then.transaction(org_ids=[org_id]) as old, owner.transaction(org_ids=[org_id]) as new:
        copied = await rows.copy_organization(old, new, org_id)
    return [f"organization {org_id}: {copied} rows brought back"]


async def _document(
    then: Database, owner: Database, store: ObjectStore, bus: Bus, org_id: UUID, document_id: UUID
) -> str:
    try:
        async with then.transaction(org_ids=[org_id]) as old, owner.transaction(org_ids=[org_id]) as new:
            if not await rows.exists(old, org_id, document_id):
                return f"{document_id}: not in the backup"
            if not await rows.exists(new, org_id, document_id):
                return f"{document_id}: brought back, {await rows.copy_document(old, new, org_id, document_id)} rows"
            edits = await rows.make_as_then(old, new, store, org_id, document_id)
    except DocumentGone:
        return f"{document_id}: in the trash, now or then; left as it is"
    except DoxieError as error:
        return f"{document_id}: not restored: {error}"
    for seq, payload in edits:
        await bus.publish(document_id, Kind.UPDATE, payload, seq=seq)
    return f"{document_id}: made what it was, seq {edits[-1][0]}" if edits else f"{document_id}: as it was"
