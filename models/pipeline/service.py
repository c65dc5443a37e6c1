"""The ledger of what flows did to documents."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from models import audit, outbox
from models.audit import Act
from models.errors import Conflict, NotFound
from models.orgs import OrgScope, Permission
from models.pipeline.tables import PipelineRun


class RunNotFound(NotFound):
    """There is no such run."""


class NotReplayable(Conflict):
    """Runs of this kind cannot be replayed."""


def begin(
    org_id: UUID,
    document_id: UUID | None,
    *,
    pipeline: str,
    step: str,
    attempts: int,
    flow_run_id: UUID | None,
) -> PipelineRun:
    """A step that starts now; not stored until `record`."""
    return PipelineRun(
        org_id=org_id,
        document_id=document_id,
        pipeline=pipeline,
        step=step,
        attempts=attempts,
        flow_run_id=flow_run_id,
    )


def succeed(run: PipelineRun) -> None:
    """The step is done."""
    run.state, run.finished_at = "succeeded", clock.now()


def fail(run: PipelineRun, error: BaseException) -> None:
    """The step went wrong."""
    run.state, run.finished_at = "failed", clock.now()
    run.error = f"{type(error).__name__}: {error}"[:2000]


async def record(session: AsyncSession, runs: Sequence[PipelineRun]) -> None:
    """Write steps into the ledger."""
    session.add_all(runs)
    await session.flush()


async def of_document(
    session: AsyncSession, scope: OrgScope, document_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> list[PipelineRun]:
    """The steps of a document, newest first, after an id."""
    scope.require(Permission.DOCUMENT_READ)
    query = select(PipelineRun).where(PipelineRun.org_id == scope.org_id, PipelineRun.document_id == document_id)
    if after is not None:
        query = query.where(PipelineRun.id < after)
    return list(await session.scalars(query.order_by(col(PipelineRun.id).desc()).limit(limit)))


async def find(session: AsyncSession, run_id: UUID) -> PipelineRun:
    """A step by its id.

    Raises:
        RunNotFound: there is none for the organizations of this session.
    """
    run: PipelineRun | None = (
        await session.execute(select(PipelineRun).where(PipelineRun.id == run_id))
    ).scalar_one_or_none()
    if run is None:
        raise RunNotFound()
    return run


async def replay(session: AsyncSession, scope: OrgScope, run: PipelineRun) -> None:
    """Let the pipeline of a run work on its document again, now.

    Raises:
        NotReplayable: nothing can be done again for a run of this kind.
    """
    scope.require(Permission.PIPELINE_REPLAY)
    if run.pipeline == "persist" and run.document_id is not None:
        subject, kind = run.document_id, outbox.DOCUMENT_CHANGED
    elif run.pipeline == "export" and run.subject_id is not None:
        subject, kind = run.subject_id, outbox.EXPORT_REQUESTED
    else:
        raise NotReplayable()
    await outbox.emit(session, kind, [(scope.org_id, subject)], payload={"replay_of": str(run.id)})
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.PIPELINE_REPLAYED, run.id, pipeline=run.pipeline)
