"""Bringing a document or an organization back from a backup into the running system."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from flows import runtime, scratch
from flows.runtime import Runtime
from flows.scratch import Restored
from infra import clock
from infra.bus import Bus, Kind
from infra.db import Database
from infra.recovery.base import NoBackup
from infra.storage import ObjectStore
from models import audit
from models.audit import Act
from models.backups import BackupNotFound, copying, rows, shelf
from models.backups.shelf import Shelved
from models.documents import DocumentGone
from models.errors import DoxieError, NotFound

Source = UUID | datetime | None
"""A backup of one organization by its id; a moment; or None: the newest backup there is."""


class NotInBackup(NotFound):
    """It is not in that backup."""


@dataclass(frozen=True, slots=True)
class _Work:
    """Where from, and where to."""

    then: Database
    owner: Database
    store: ObjectStore
    bus: Bus


async def restore(
    worker: Runtime,
    source: Source,
    *,
    org_id: UUID | None = None,
    document_id: UUID | None = None,
    as_new: bool = False,
) -> list[str]:
    """Make a document, or all of an organization, what it was in a backup; a line about each.

    `as_new` makes another organization or document of it, beside the one that is there.

    Raises:
        NoBackup, BackupNotFound: there is no such backup.
        NotInBackup: nor is there anything of that id in it.
        BackupDamaged, BaseDamaged, CannotBackUp, RecoveryFailed: it cannot be restored.
    """
    directory = worker.settings.home / f"recovering-{clock.new_id()}"
    directory.mkdir(mode=0o700)
    bus = Bus(worker.settings.redis_url.get_secret_value())
    try:
        async with (
            runtime.owner(worker) as owner,
            _restored(worker, owner, directory, source, org_id, document_id) as found,
        ):
            then = Database(found.url, pool_size=2)
            try:
                work = _Work(then, owner, worker.store, bus)
                return [
                    f"from {found.source}, as of {found.restored_to}",
                    *await _bring(work, found, org_id, document_id, as_new),
                ]
            finally:
                await then.close()
    finally:
        await bus.close()
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def _restored(
    worker: Runtime, owner: Database, directory: Path, source: Source, org_id: UUID | None, document_id: UUID | None
) -> AsyncIterator[Restored]:
    """What was asked for in a scratch server.

    A moment is restored exactly where base backups and the log reach it. The newest backup of an organization by
    itself is what `latest` means: the newest moment of the log would be now, with whatever has gone wrong since.
    """
    async with runtime.backup_store(worker) as store:
        if org_id is None and document_id is not None:
            async with owner.transaction() as session:
                org_id = await rows.owner_of(session, document_id)
        own = None if isinstance(source, datetime) else await _own(store, source, org_id)
        if own is None:
            moment = source if isinstance(source, datetime) else None
            try:
                async with scratch.restored(worker, store, directory, until=moment) as found:
                    yield found
                return
            except NoBackup as error:
                own = await _own(store, moment, org_id)
                if own is None:
                    raise NoBackup(f"{error}, nor one of the organization by itself") from error
        async with scratch.unpacked(worker, store, directory, own) as found:
            yield found


async def _own(store: ObjectStore, source: Source, org_id: UUID | None) -> Shelved | None:
    """The backup of an organization by itself: a certain one, or the newest (until a moment), if there is any.

    Raises:
        BackupNotFound: there is none by that id, or it is another organization's.
    """
    if isinstance(source, UUID):
        found = await shelf.find(store, backup_id=source)
        if org_id not in (None, found.org_id):
            raise BackupNotFound(f"The backup {source} is one of the organization {found.org_id}, not of {org_id}.")
        return found
    if org_id is None:
        return None
    try:
        return await shelf.find(store, org_id=org_id, until=source)
    except BackupNotFound:
        return None


async def _bring(
    work: _Work, found: Restored, org_id: UUID | None, document_id: UUID | None, as_new: bool
) -> list[str]:
    """Bring it back, and note so in the audit log of its organization."""
    async with work.then.transaction() as session:
        if document_id is not None:
            owner_id = await rows.owner_of(session, document_id)
            if owner_id is None:
                raise NotInBackup(f"The document {document_id} is not in {found.source}.")
            org_id = owner_id
        assert org_id is not None, "one of the two is given"
        if not await rows.has_organization(session, org_id):
            raise NotInBackup(f"The organization {org_id} is not in {found.source}.")
    details: dict[str, object] = {"source": found.source, "as_of": str(found.restored_to)}
    if as_new:
        moment = found.restored_to or found.opened_at
        async with work.then.transaction() as session:
            new = await copying.as_new(session, work.store, org_id, document_id, moment)
        details["copy_of"] = str(document_id or org_id)
        org_id, document_id = new.get(org_id, org_id), None if document_id is None else new[document_id]
    if document_id is None:
        lines, details["rows"] = await _organization(work, org_id)
    else:
        lines = await _one(work, org_id, document_id)
    async with work.owner.transaction(org_ids=[org_id]) as session:
        await audit.record(session, org_id, None, Act.BACKUP_RESTORED, document_id or org_id, **details)
    return lines


async def _one(work: _Work, org_id: UUID, document_id: UUID) -> list[str]:
    async with work.owner.transaction(org_ids=[org_id]) as session:
        if not await rows.has_organization(session, org_id):
            raise NotInBackup(f"Its organization {org_id} is gone: restore that first.")
    line = await _document(work, org_id, document_id)
    async with work.then.transaction(org_ids=[org_id]) as old, work.owner.transaction(org_ids=[org_id]) as new:
        await rows.reattach(old, new, org_id, [document_id])
    return [line]


async def _organization(work: _Work, org_id: UUID) -> tuple[list[str], Mapping[str, int]]:
    """A line for the organization and one for each document, and how many rows of each table came back."""
    then, owner = work.then, work.owner
    async with then.transaction(org_ids=[org_id]) as old, owner.transaction(org_ids=[org_id]) as new:
        copied = await rows.copy_organization(old, new, org_id)
        documents = await rows.documents_of(old, org_id)
    lines = [await _document(work, org_id, one) for one in documents]
    async with then.transaction(org_ids=[org_id]) as old, owner.transaction(org_ids=[org_id]) as new:
        await rows.reattach(old, new, org_id, documents)
        copied = {**copied, **await rows.copy_access(old, new, org_id, documents)}
    told = ", ".join(f"{count} {name}" for name, count in copied.items())
    return [f"organization {org_id}: {f'brought back: {told}' if told else 'nothing was missing'}", *lines], copied


async def _document(work: _Work, org_id: UUID, document_id: UUID) -> str:
    then, owner = work.then, work.owner
    try:
        async with then.transaction(org_ids=[org_id]) as old, owner.transaction(org_ids=[org_id]) as new:
            if not await rows.exists(new, org_id, document_id):
                return f"{document_id}: brought back, {await rows.copy_document(old, new, org_id, document_id)} rows"
            edits = await rows.make_as_then(old, new, work.store, org_id, document_id)
    except DocumentGone:
        return f"{document_id}: in the trash, now or then; left as it is"
    except DoxieError as error:
        return f"{document_id}: not restored: {error}"
    for seq, payload in edits:
        await work.bus.publish(document_id, Kind.UPDATE, payload, seq=seq)
    return f"{document_id}: made what it was, seq {edits[-1][0]}" if edits else f"{document_id}: as it was"
