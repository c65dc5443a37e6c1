"""Keeping the object store in order: what nothing needs goes, and everything has a copy elsewhere."""

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import leases, runtime
from flows.runtime import Runtime
from infra import clock
from infra.db import Database
from infra.logging import get_logger
from infra.recovery import base as bases
from infra.recovery import mirror
from infra.recovery.mirror import Copied
from infra.settings import Settings
from infra.storage import ObjectStore, Stored
from models import archive, backups
from models.backups import Sweep, shelf

log = get_logger(__name__)

KINDS = ("snapshots", "segments", "exports", "archives")
"""`orgs/{org}/{kind}/…`: only what these flows know the references to is ever removed."""


@flow(name="sweep_objects", flow_run_name=runtime.dated("sweep objects"), retries=1, retry_delay_seconds=60)
async def sweep_objects() -> State[Any]:
    """Remove objects that nothing has referred to since before the oldest backup that can be restored."""
    async with (
        runtime.opened() as worker,
        runtime.backup_store(worker) as backup_store,
        runtime.owner(worker) as owner,
        leases.held(worker, "sweep_objects"),
    ):
        swept = await sweep(worker, owner, before=await horizon(owner, backup_store))
    names = ("objects", "unreferenced", "removed", "bytes_removed", "missing")
    await runtime.show_table("swept", [{name: getattr(swept, name) for name in names}], "What the bucket holds")
    if swept.missing:
        raise runtime.Incomplete(f"{swept.missing} objects that are referred to are missing")
    return Completed(message=f"{swept.removed} of {swept.objects} objects removed, {swept.unreferenced} unreferenced")


async def horizon(owner: Database, store: ObjectStore) -> datetime:
    """The earliest moment a backup can bring back: what was referred to since then has to stay."""
    moments = [base.started_at for base in await bases.stored(store)]
    async with owner.transaction() as session:
        dumps = await backups.newest(session, limit=500)
    moments += [one.started_at for one in dumps if one.kind == "dump" and one.state == "succeeded"]
    return min([*moments, clock.now() - timedelta(days=1)])


async def sweep(worker: Runtime, owner: Database, *, before: datetime) -> Sweep:
    """Mark what nothing refers to; remove what has been so, and was written, before a moment.

    Only of the organizations that are here: those that are erased take their objects with them, and others may be of
    another installation, whose references nobody knows here.
    Whatever came to be referred to while this went on is put back.
    """
    swept = Sweep(flow_run_id=runtime.flow_run_id())
    stored = [one for one in await worker.store.objects("orgs/") if _kind(one.key) in KINDS]
    # References after objects: one that is written in between is then not taken for needless.
    async with owner.transaction() as session:
        referenced = await archive.referenced(session)
        here = {str(org_id) for org_id in await archive.organizations(session)}
        stored = [one for one in stored if one.key.split("/")[1] in here]
        loose = {one.key for one in stored} - referenced.keys()
        since = await backups.mark_unreferenced(session, loose)
    swept.objects, swept.unreferenced = len(stored), len(loose)
    swept.missing = await _missing(worker.store, referenced.keys() - {one.key for one in stored})
    removed: dict[str, bytes] = {}
    old = [one for one in stored if one.key in loose and since[one.key] < before and one.modified < before]
    needed = await _needed_by_backups(worker, old)
    for one in old:
        if one.key not in needed:
            removed[one.key] = await worker.store.get(one.key)
            await worker.store.delete(one.key)
            swept.bytes_removed += one.size
    async with owner.transaction() as session:
        referenced = await archive.referenced(session)
    for key in removed.keys() & referenced.keys():
        await worker.store.put(key, removed.pop(key))
    swept.removed = len(removed)
    async with owner.transaction() as session:
        await backups.record_sweep(session, swept)
    return swept


async def _needed_by_backups(worker: Runtime, candidates: Sequence[Stored]) -> set[str]:
    """What backups of their organizations refer to; those are few, and looked at only where something would go."""
    org_ids = {UUID(one.key.split("/")[1]) for one in candidates}
    async with runtime.backup_store(worker) as store:
        return await shelf.references(store, org_ids)


async def _missing(store: ObjectStore, keys: set[str]) -> int:
    """How many really are not there: some may have been written after the list was made."""
    missing = 0
    for key in sorted(keys):
        if not await store.exists(key):
            log.error("object missing", key=key)
            missing += 1
    return missing


def _kind(key: str) -> str:
    parts = key.split("/")
    return parts[2] if len(parts) == 4 else ""


@flow(name="copy_buckets", flow_run_name=runtime.dated("copy buckets"), retries=1, retry_delay_seconds=60)
async def copy_buckets() -> State[Any]:
    """Copy both buckets to a second place: what is new, read back; what was copied stays for as long as backups do."""
    async with runtime.opened() as worker, leases.held(worker, "copy_buckets"):
        copied = await copy_all(worker.settings)
    await runtime.show_table(
        "copied", [{name: getattr(copied, name) for name in Copied.__dataclass_fields__}], "Copies"
    )
    return Completed(message=f"{copied.objects} objects, {copied.bytes} bytes; {copied.there} were there already")


async def copy_all(settings: Settings) -> Copied:
    """Bring the copy up to date.

    Raises:
        ObjectCorrupt: a copy is not what was read.
    """
    target = _replica(settings)
    await target.ensure_bucket()
    total = Copied()
    with tempfile.TemporaryDirectory(prefix="copy-", dir=settings.home) as directory:
        for bucket in (settings.s3_bucket, settings.s3_backup_bucket):
            source = ObjectStore(settings, bucket)
            copied = await mirror.copy(source, target, Path(directory), below=f"{bucket}/")
            kept = {stored.key for stored in await source.objects()}
            old = clock.now() - timedelta(days=settings.backup_keep_days)
            total.removed += await mirror.prune(target, f"{bucket}/", kept, before=old)
            total.there, total.objects = total.there + copied.there, total.objects + copied.objects
            total.bytes += copied.bytes
            await source.close()
    await target.close()
    return total


def _replica(settings: Settings) -> ObjectStore:
    """The second bucket, at the second place where there is one."""
    if not settings.replica_s3_endpoint:
        return ObjectStore(settings, settings.replica_bucket)
    place = {
        "s3_endpoint": settings.replica_s3_endpoint,
        "s3_region": settings.replica_s3_region,
        "s3_access_key": settings.replica_s3_access_key,
        "s3_secret_key": settings.replica_s3_secret_key,
    }
    return ObjectStore(settings.model_copy(update=place), settings.replica_bucket)
