"""Backing organizations up, each by itself: what its rows are at one moment, in an object that was read back."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

import models.migrations.tables  # noqa: F401 (every table, so that all rows are in it)
from flows import leases, retrying, runtime
from flows.backups import prune
from flows.ledger import Ledger, Subject
from flows.runtime import Runtime
from infra import clock
from infra.storage import ObjectStore
from models import archive, backups, outbox, pipeline
from models.backups import OrganizationBackup, packing, shelf
from models.backups import organizations as ledger_of
from models.migrations import __main__ as migrations
from models.outbox import Claim

ATTEMPTS = 5
"""After so many a backup that was asked for has failed."""

AGAIN_SECONDS = 30.0
"""Those that failed in the night are tried once more, so much later."""

_CLUSTER = text("SELECT system_identifier::text FROM pg_control_system()")

KIND = "organizations"
"""A night's run in the record of backups: good if every organization has its own."""


@flow(name="back_up_organizations", flow_run_name=runtime.dated("back up organizations"))
async def back_up_organizations() -> State[Any]:
    """Back every organization up by itself, and forget old ones. One that cannot be backed up stops no other."""
    async with (
        runtime.opened() as worker,
        runtime.backup_store(worker) as store,
        leases.held(worker, "back_up_organizations"),
    ):
        async with worker.db.transaction() as session:
            night = await backups.begin(session, kind=KIND, flow_run_id=runtime.flow_run_id())
        org_ids = await _all(worker)
        made, failures = await _each(worker, store, org_ids)
        if failures:
            await asyncio.sleep(AGAIN_SECONDS)
            again, failures = await _each(worker, store, sorted(failures))
            made |= again
        pruned = await prune_gone(worker, store, set(org_ids))
        bad = [f"{org_id}: {error}" for org_id, error in failures.items()]
        bad += [f"{one.org_id}: {one.error}" for one in made.values() if one.missing]
        size = sum(one.bytes or 0 for one in made.values())
        async with worker.db.transaction() as session:
            if bad:
                await backups.fail(session, night, f"{len(bad)} of {len(org_ids)} organizations: {'; '.join(bad[:10])}")
            else:
                await backups.succeed(session, night, object_key=shelf.PREFIX, sha256=None, size=size)
    await runtime.show_table("organizations", [_row(one) for one in made.values()], "What was backed up")
    message = (
        f"{len(made)} of {len(org_ids)} organizations, {size} bytes; {pruned} of organizations that are gone removed"
    )
    return Failed(message="; ".join([message, *bad[:10]])) if bad else Completed(message=message)


@flow(name="back_up_organization", persist_result=False, result_storage=runtime.NOWHERE)
async def back_up_organization(backup_id: UUID, org_id: UUID, claim: Claim) -> State[Any]:
    """Make the backup of an organization that somebody asked for."""
    async with runtime.opened() as worker, runtime.backup_store(worker) as store:
        async with worker.db.transaction(org_ids=[org_id]) as session:
            if claim.subject_id not in await outbox.held(session, claim.lease_id):
                return Completed(message="somebody else makes it")
        try:
            made = await back_up(worker, store, org_id, kind="requested", backup_id=backup_id, attempts=claim.attempts)
        except Exception as error:
            async with worker.db.transaction(org_ids=[org_id]) as session:
                if retrying.is_pointless(error) or claim.attempts >= ATTEMPTS:
                    await outbox.settle(session, [claim])
                else:
                    await outbox.retry(session, claim, error=repr(error), delay=retrying.delay(claim.attempts))
            return Failed(message=f"{type(error).__name__}: {error}")
        async with worker.db.transaction(org_ids=[org_id]) as session:
            await outbox.settle(session, [claim])
    return Completed(message=f"{made.rows} rows, {made.bytes} bytes, as of {made.taken_at}")


@flow(name="back_up_one", persist_result=False, result_storage=runtime.NOWHERE)
async def back_up_one(org_id: UUID) -> State[Any]:
    """Back one organization up, for an operator."""
    async with runtime.opened() as worker, runtime.backup_store(worker) as store:
        made = await back_up(worker, store, org_id, kind="operator")
    return Completed(message=f"{made.rows} rows, {made.bytes} bytes, as of {made.taken_at}")


async def back_up(
    worker: Runtime,
    store: ObjectStore,
    org_id: UUID,
    *,
    kind: str,
    backup_id: UUID | None = None,
    attempts: int = 1,
) -> OrganizationBackup:
    """Make one backup, noted in the organization's ledgers whatever becomes of it, and forget old ones."""
    ledger = Ledger("backup", org_id, None, attempts, runtime.flow_run_id())
    async with worker.db.transaction(org_ids=[org_id]) as session:
        backup = await ledger_of.begin(session, org_id, kind=kind, backup_id=backup_id, flow_run_id=ledger.flow_run_id)
    try:
        async with asyncio.timeout(ledger_of.LONGEST.total_seconds()):
            with ledger.step("organization", Subject(backup.id)) as step:
                manifest = await _make(worker, store, backup)
                step.hash_in, step.hash_out = manifest["raw_sha256"], manifest["sha256"]
                step.bytes_out = manifest["bytes"]
    except BaseException as error:
        async with worker.db.transaction(org_ids=[org_id]) as session:
            await ledger_of.fail(session, backup, f"{type(error).__name__}: {error}")
            await pipeline.record(session, ledger.failed(error))
        raise
    async with worker.db.transaction(org_ids=[org_id]) as session:
        backup = await ledger_of.settle(session, backup, manifest)
        await pipeline.record(session, ledger.steps)
    await _prune(worker, store, org_id)
    return backup


async def _make(worker: Runtime, store: ObjectStore, backup: OrganizationBackup) -> dict[str, Any]:
    """Write it, store it, read it back, check every row of it; the manifest comes last."""
    org_id, begun = backup.org_id, backup.started_at or clock.now()
    folder = shelf.folder(org_id, backup.id, begun)
    with tempfile.TemporaryDirectory(prefix="org-backup-", dir=worker.settings.home) as directory:
        packed, back = Path(directory) / "rows.zst", Path(directory) / "back.zst"
        head = {"org_id": str(org_id), "backup_id": str(backup.id), "schema": migrations.head()}
        async with _frozen(worker, org_id) as (session, taken_at):
            content = await packing.pack(session, org_id, packed, {**head, "taken_at": taken_at.isoformat()})
            references = await archive.referenced(session)
            cluster = await session.scalar(_CLUSTER)
        if content["tables"]["organizations"]["rows"] != 1:
            raise LookupError(f"there is no organization {org_id}")
        there = {key for key, _ in await worker.store.list(f"orgs/{org_id}/")}
        manifest: dict[str, Any] = {
            "format": packing.FORMAT,
            **head,
            "cluster": cluster,
            "kind": backup.kind,
            "taken_at": taken_at.isoformat(),
            "object": f"{folder}/{shelf.ROWS}",
            "sha256": await store.put_file(f"{folder}/{shelf.ROWS}", packed),
            "bytes": packed.stat().st_size,
            **content,
            "references": [[kind, key, sha256] for key, (kind, sha256) in sorted(references.items())],
            "missing": sorted(references.keys() - there),
            "flow_run_id": str(backup.flow_run_id) if backup.flow_run_id else None,
        }
        packed.unlink()
        await shelf.fetch(store, manifest, back)
    await store.put(f"{folder}/{shelf.MANIFEST}", json.dumps(manifest, indent=1).encode(), "application/json")
    return manifest


@asynccontextmanager
async def _frozen(worker: Runtime, org_id: UUID) -> AsyncIterator[tuple[AsyncSession, datetime]]:
    """A transaction that sees this organization, and of it one moment."""
    async with worker.db.transaction(org_ids=[org_id]) as session:
        yield session, await packing.freeze(session)


async def _all(worker: Runtime) -> list[UUID]:
    """Every organization, the deleted ones too as long as they can be restored."""
    async with runtime.owner(worker) as owner, owner.transaction() as session:
        return await archive.organizations(session)


async def _each(
    worker: Runtime, store: ObjectStore, org_ids: list[UUID]
) -> tuple[dict[UUID, OrganizationBackup], dict[UUID, str]]:
    """What was made, and why the rest was not."""
    made: dict[UUID, OrganizationBackup] = {}
    failures: dict[UUID, str] = {}
    for org_id in org_ids:
        try:
            made[org_id] = await back_up(worker, store, org_id, kind="scheduled")
        except Exception as error:
            failures[org_id] = f"{type(error).__name__}: {error}"
            runtime.note(f"{org_id} is not backed up: {error!r}")
    return made, failures


async def _prune(worker: Runtime, store: ObjectStore, org_id: UUID) -> None:
    """Of the newest days with any one each is kept, of today all; the ledger says what there is."""
    days, now = worker.settings.backup_keep_days, clock.now()
    gone = await prune(store, shelf.below(org_id), now=now, keep_days=days)
    ids = [shelf.parsed(folder).backup_id for folder in gone]
    async with worker.db.transaction(org_ids=[org_id]) as session:
        await ledger_of.forget(session, org_id, ids, failed_before=now - timedelta(days=days))


async def prune_gone(worker: Runtime, store: ObjectStore, org_ids: set[UUID]) -> int:
    """Backups of organizations that are not there any more go once they are as old as any other backup gets.

    Only what was made of this cluster: the bucket may hold the backups of other installations too.
    """
    limit, removed = clock.now() - timedelta(days=worker.settings.backup_keep_days), 0
    async with worker.db.transaction() as session:
        ours = await session.scalar(_CLUSTER)
    for one in await shelf.shelved(store):
        if one.org_id in org_ids or one.started_at >= limit:
            continue
        if await shelf.cluster(store, one) == ours:
            for name in (shelf.MANIFEST, shelf.ROWS):
                await store.delete(f"{one.folder}/{name}")
            removed += 1
    return removed


def _row(backup: OrganizationBackup) -> dict[str, object]:
    shown = ("org_id", "id", "state", "rows", "documents", "objects", "missing", "bytes", "taken_at")
    return {name: getattr(backup, name) for name in shown}
