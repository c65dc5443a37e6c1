"""Backups of single organizations: asking for one, the ledger of them, what becomes of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from models import audit, outbox
from models.audit import Act
from models.backups.tables import OrganizationBackup
from models.errors import Conflict, NotFound
from models.orgs import OrgScope, Permission

LONGEST = timedelta(hours=2)
"""No backup of an organization takes longer: one that does is ended, and one that ran before has died."""

KEPT = ("succeeded", "incomplete")
"""What can be restored."""


class BackupNotFound(NotFound):
    """There is no such backup."""


class BackupGoesOn(Conflict):
    """A backup of this organization is being made already."""


async def request(session: AsyncSession, scope: OrgScope) -> OrganizationBackup:
    """Ask for a backup now; a flow makes it.

    Raises:
        BackupGoesOn: one is waiting or being made.
    """
    scope.require(Permission.BACKUP_MAKE)
    young = col(OrganizationBackup.created_at) > clock.now() - LONGEST
    going_on = select(OrganizationBackup.id).where(
        OrganizationBackup.org_id == scope.org_id, col(OrganizationBackup.state).in_(("pending", "running")), young
    )
    if (await session.execute(going_on.limit(1))).first() is not None:
        raise BackupGoesOn()
    backup = OrganizationBackup(org_id=scope.org_id, kind="requested", requested_by=scope.actor.user_id)
    session.add(backup)
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.BACKUP_REQUESTED, backup.id)
    await outbox.emit(session, outbox.BACKUP_REQUESTED, [(scope.org_id, backup.id)])
    return backup


async def page(
    session: AsyncSession, scope: OrgScope, *, after: UUID | None = None, limit: int = 50
) -> list[OrganizationBackup]:
    """The backups of the organization, newest first, after an id."""
    scope.require(Permission.BACKUP_LIST)
    return await newest(session, scope.org_id, after=after, limit=limit)


async def newest(
    session: AsyncSession, org_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> list[OrganizationBackup]:
    """The same, for operators and flows."""
    query = select(OrganizationBackup).where(OrganizationBackup.org_id == org_id)
    if after is not None:
        query = query.where(OrganizationBackup.id < after)
    return list(await session.scalars(query.order_by(col(OrganizationBackup.id).desc()).limit(limit)))


async def begin(
    session: AsyncSession, org_id: UUID, *, kind: str, backup_id: UUID | None, flow_run_id: UUID | None
) -> OrganizationBackup:
    """A backup that starts now: a new one, or one that was asked for. What ran for too long before has failed.

    Raises:
        BackupNotFound: nobody asked for that one.
    """
    dead = update(OrganizationBackup).where(
        col(OrganizationBackup.org_id) == org_id,
        col(OrganizationBackup.state) == "running",
        col(OrganizationBackup.started_at) < clock.now() - LONGEST,
    )
    error = "the process that made it died"
    await session.execute(dead.values(state="failed", finished_at=clock.now(), error=error))
    if backup_id is None:
        backup = OrganizationBackup(org_id=org_id, kind=kind)
        session.add(backup)
    else:
        backup = await _stored(session, org_id, backup_id)
    backup.state, backup.started_at, backup.flow_run_id = "running", clock.now(), flow_run_id
    await session.flush()
    return backup


async def settle(session: AsyncSession, backup: OrganizationBackup, manifest: dict[str, Any]) -> OrganizationBackup:
    """It is stored, and was read back."""
    stored = await _stored(session, backup.org_id, backup.id)
    tables: dict[str, dict[str, Any]] = manifest["tables"]
    missing: Sequence[str] = manifest["missing"]
    stored.state, stored.finished_at = "incomplete" if missing else "succeeded", clock.now()
    stored.object_key, stored.sha256, stored.bytes = manifest["object"], manifest["sha256"], manifest["bytes"]
    stored.rows = sum(about["rows"] for about in tables.values())
    stored.documents, stored.objects = tables["documents"]["rows"], len(manifest["references"])
    stored.missing = len(missing)
    stored.error = f"{len(missing)} objects are missing, {missing[0]} first" if missing else None
    stored.taken_at = datetime.fromisoformat(manifest["taken_at"])
    await session.flush()
    return stored


async def fail(session: AsyncSession, backup: OrganizationBackup, error: str) -> None:
    """It went wrong."""
    stored = await _stored(session, backup.org_id, backup.id)
    stored.state, stored.finished_at, stored.error = "failed", clock.now(), error[:2000]
    await session.flush()


async def forget(session: AsyncSession, org_id: UUID, backup_ids: Sequence[UUID], *, failed_before: datetime) -> None:
    """These are gone from the store; those that failed long ago interest nobody."""
    mine = col(OrganizationBackup.org_id) == org_id
    await session.execute(delete(OrganizationBackup).where(mine, col(OrganizationBackup.id).in_(backup_ids)))
    over = (col(OrganizationBackup.state) == "failed", col(OrganizationBackup.created_at) < failed_before)
    await session.execute(delete(OrganizationBackup).where(mine, *over))


async def _stored(session: AsyncSession, org_id: UUID, backup_id: UUID) -> OrganizationBackup:
    backup = await session.get(OrganizationBackup, (org_id, backup_id))
    if backup is None:
        raise BackupNotFound()
    return backup
