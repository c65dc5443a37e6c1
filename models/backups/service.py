"""The record of backups."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from models.backups.tables import Backup


async def begin(session: AsyncSession, *, kind: str, flow_run_id: UUID | None) -> Backup:
    """A backup that starts now."""
    backup = Backup(kind=kind, flow_run_id=flow_run_id)
    session.add(backup)
    await session.flush()
    return backup


async def succeed(session: AsyncSession, backup: Backup, *, object_key: str, sha256: str, size: int) -> None:
    """It is stored, and was read back; `size` in bytes."""
    stored = await session.merge(backup)
    stored.state, stored.finished_at = "succeeded", clock.now()
    stored.object_key, stored.sha256, stored.bytes = object_key, sha256, size
    await session.flush()


async def fail(session: AsyncSession, backup: Backup, error: str) -> None:
    """It went wrong."""
    stored = await session.merge(backup)
    stored.state, stored.finished_at, stored.error = "failed", clock.now(), error[:2000]
    await session.flush()


async def newest(session: AsyncSession, *, limit: int = 20) -> list[Backup]:
    """The latest backups, newest first."""
    return list(await session.scalars(select(Backup).order_by(col(Backup.id).desc()).limit(limit)))
