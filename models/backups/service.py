"""The record of backups, drills and sweeps. What is not the application's to write, flows write as the owner."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from models.backups.tables import Backup, Drill, Sweep, Unreferenced


async def begin(session: AsyncSession, *, kind: str, flow_run_id: UUID | None) -> Backup:
    """A backup that starts now."""
    backup = Backup(kind=kind, flow_run_id=flow_run_id)
    session.add(backup)
    await session.flush()
    return backup


async def succeed(session: AsyncSession, backup: Backup, *, object_key: str, sha256: str | None, size: int) -> None:
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


async def newest_dump(session: AsyncSession, *, until: datetime | None) -> Backup | None:
    """The newest good dump, or the newest that was begun before a moment."""
    query = select(Backup).where(Backup.kind == "dump", Backup.state == "succeeded")
    if until is not None:
        query = query.where(Backup.started_at <= until)
    return (await session.scalars(query.order_by(col(Backup.started_at).desc()).limit(1))).first()


async def begin_drill(session: AsyncSession, *, flow_run_id: UUID | None) -> Drill:
    """A drill that starts now."""
    drill = Drill(flow_run_id=flow_run_id)
    session.add(drill)
    await session.flush()
    return drill


async def end_drill(session: AsyncSession, drill: Drill) -> None:
    """Keep what a drill has found."""
    drill.finished_at = clock.now()
    await session.merge(drill)
    await session.flush()


async def count_drills(session: AsyncSession) -> int:
    """How many there have been."""
    return int((await session.execute(select(func.count()).select_from(Drill))).scalar_one())


async def newest_drills(session: AsyncSession, *, limit: int = 20) -> list[Drill]:
    """The latest drills, newest first."""
    return list(await session.scalars(select(Drill).order_by(col(Drill.id).desc()).limit(limit)))


async def last_good(session: AsyncSession) -> tuple[dict[str, datetime], datetime | None]:
    """When the newest good backup of each kind, and the newest good drill, began."""
    ages = select(Backup.kind, func.max(Backup.started_at)).where(Backup.state == "succeeded").group_by(Backup.kind)
    drill = await session.scalar(select(func.max(Drill.started_at)).where(Drill.state == "good"))
    return {row[0]: row[1] for row in await session.execute(ages)}, drill


async def abandon(session: AsyncSession, flow_run_ids: Sequence[UUID]) -> None:
    """The processes that made these died: their backups failed. (Drills are the owner's to end.)"""
    await session.execute(
        update(Backup)
        .where(col(Backup.flow_run_id).in_(flow_run_ids), col(Backup.state) == "running")
        .values(state="failed", finished_at=clock.now(), error="the process that made it died")
    )


async def mark_unreferenced(session: AsyncSession, keys: Collection[str]) -> dict[str, datetime]:
    """Remember what nothing refers to now, forget all else; since when each has been so."""
    await session.execute(delete(Unreferenced).where(col(Unreferenced.key).not_in(keys)))
    if keys:
        now = clock.now()
        values = [{"key": key, "since": now} for key in sorted(keys)]
        await session.execute(insert(Unreferenced).on_conflict_do_nothing(), values)
    return {row.key: row.since for row in await session.scalars(select(Unreferenced))}


async def record_sweep(session: AsyncSession, sweep: Sweep) -> None:
    """Keep what a sweep did."""
    sweep.finished_at = clock.now()
    session.add(sweep)
    await session.flush()
