"""Flow runs as a whole, apart from what they do to documents: who lives, and which Prefect is still to hear of."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from models.pipeline.tables import Installation, RunLease, UnrecordedRun

_HOLD = text("""
    INSERT INTO run_leases (flow_run_id, name, leased_until)
    VALUES (:run_id, :name, now() + make_interval(secs => :seconds))
    ON CONFLICT (flow_run_id) DO UPDATE SET leased_until = EXCLUDED.leased_until
""").bindparams(bindparam("run_id", type_=Uuid))

_ENDED = text("SELECT flow_run_id FROM run_leases WHERE leased_until < now() ORDER BY leased_until LIMIT 200")

_NEXT = text("""
    SELECT id FROM unrecorded_runs ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
""")

_NAME_STEPS = text("""
    UPDATE pipeline_runs SET flow_run_id = :flow_run_id
    WHERE flow_run_id IS NULL AND started_at BETWEEN :started AND :finished
        AND (document_id = ANY(:subjects) OR subject_id = ANY(:subjects))
""").bindparams(bindparam("flow_run_id", type_=Uuid), bindparam("subjects", type_=ARRAY(Uuid)))

_NAME_REVISIONS = text("""
    UPDATE revisions SET flow_run_id = :flow_run_id
    WHERE flow_run_id IS NULL AND document_id = ANY(:subjects)
        AND id IN (SELECT subject_id FROM pipeline_runs WHERE flow_run_id = :flow_run_id)
""").bindparams(bindparam("flow_run_id", type_=Uuid), bindparam("subjects", type_=ARRAY(Uuid)))


async def installation(session: AsyncSession) -> UUID:
    """The name of this deployment of Doxie."""
    found: UUID = (await session.scalars(select(Installation.id))).one()
    return found


async def installed_at(session: AsyncSession) -> datetime:
    """Since when there is this deployment."""
    found: datetime = (await session.scalars(select(Installation.created_at))).one()
    return found


async def hold(session: AsyncSession, run_id: UUID, name: str, *, seconds: float) -> None:
    """A scheduled run is going on, and says so again within `seconds`."""
    await session.execute(_HOLD, {"run_id": run_id, "name": name, "seconds": seconds})


async def ended_leases(session: AsyncSession) -> list[UUID]:
    """The scheduled runs that nobody says are going on: they have ended, or their processes died."""
    return list(await session.scalars(_ENDED))


async def leased(session: AsyncSession, run_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these runs that have a lease, ended or not."""
    return set(await session.scalars(select(RunLease.flow_run_id).where(col(RunLease.flow_run_id).in_(run_ids))))


async def forget(session: AsyncSession, run_ids: Sequence[UUID]) -> None:
    """The leases of these runs are no longer needed."""
    await session.execute(delete(RunLease).where(col(RunLease.flow_run_id).in_(run_ids)))


async def owe(session: AsyncSession, run: UnrecordedRun) -> None:
    """A run was done without Prefect, which is to hear of it later. Saying so twice is the same."""
    await session.merge(run)
    await session.flush()


async def owed(session: AsyncSession, *, limit: int = 50) -> list[UnrecordedRun]:
    """Runs that Prefect has not heard of, oldest first; nobody else gets them until this transaction ends."""
    ids = list(await session.scalars(_NEXT, {"limit": limit}))
    query = select(UnrecordedRun).where(col(UnrecordedRun.id).in_(ids)).order_by(col(UnrecordedRun.id))
    return list(await session.scalars(query))


async def name(session: AsyncSession, run: UnrecordedRun, flow_run_id: UUID) -> None:
    """Prefect has heard of it: its steps in the ledger name it from now on. The session sees its organizations."""
    parameters = {
        "flow_run_id": flow_run_id,
        "subjects": list(run.subject_ids),
        "started": run.started_at,
        "finished": run.finished_at,
    }
    await session.execute(_NAME_STEPS, parameters)
    await session.execute(_NAME_REVISIONS, {"flow_run_id": flow_run_id, "subjects": list(run.subject_ids)})
    await session.delete(run)
    await session.flush()
