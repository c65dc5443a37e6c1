"""The ledger of what flows did to documents."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from models import audit, outbox
from models.audit import Act
from models.errors import Conflict, NotFound
from models.orgs import OrgScope, Permission
from models.outbox import Claim
from models.pipeline.tables import PipelineRun


class RunNotFound(NotFound):
    """There is no such run."""


class NotReplayable(Conflict):
    """Runs of this kind cannot be replayed."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which steps; what is None is not asked for."""

    state: str | None = None
    pipeline: str | None = None
    step: str | None = None
    document_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


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


def set_aside(claim: Claim, pipeline: str, flow_run_id: UUID | None, error: str) -> PipelineRun:
    """The work on something is given up for now: it failed too often, and waits for somebody to look at it."""
    return PipelineRun(
        org_id=claim.org_id,
        document_id=claim.subject_id if claim.kind == outbox.DOCUMENT_CHANGED else None,
        subject_id=claim.subject_id,
        pipeline=pipeline,
        step="set aside",
        state="set_aside",
        attempts=claim.attempts,
        flow_run_id=flow_run_id,
        error=error[:2000],
        finished_at=clock.now(),
    )


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


async def page(
    session: AsyncSession, scope: OrgScope, wanted: Filter, *, after: UUID | None = None, limit: int = 50
) -> list[PipelineRun]:
    """The steps in an organization, newest first, after an id."""
    scope.require(Permission.PIPELINE_LIST)
    query = select(PipelineRun).where(PipelineRun.org_id == scope.org_id, *_conditions(wanted))
    if after is not None:
        query = query.where(PipelineRun.id < after)
    return list(await session.scalars(query.order_by(col(PipelineRun.id).desc()).limit(limit)))


async def replay(session: AsyncSession, scope: OrgScope, run: PipelineRun) -> None:
    """Let the pipeline of a run work on its document again, now.

    Raises:
        NotReplayable: nothing can be done again for a run of this kind.
    """
    scope.require(Permission.PIPELINE_REPLAY)
    subject = _subject(run)
    if subject is None:
        raise NotReplayable()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.PIPELINE_REPLAYED, run.id, pipeline=run.pipeline)
    await outbox.emit(session, subject[0], [(scope.org_id, subject[1])], payload={"replay_of": str(run.id)})


async def replay_range(session: AsyncSession, scope: OrgScope, wanted: Filter, *, limit: int = 1000) -> int:
    """Let the pipelines of the newest steps that fit work again on what those were about; on how much.

    A document is worked on once, however many steps of it fit.
    """
    scope.require(Permission.PIPELINE_REPLAY)
    query = select(PipelineRun).where(PipelineRun.org_id == scope.org_id, *_conditions(wanted))
    found: dict[tuple[str, UUID], UUID] = {}
    for run in await session.scalars(query.order_by(col(PipelineRun.id).desc()).limit(limit)):
        if subject := _subject(run):
            found.setdefault(subject, run.id)
    for (kind, subject_id), run_id in sorted(found.items(), key=lambda item: item[0][1]):
        await outbox.emit(session, kind, [(scope.org_id, subject_id)], payload={"replay_of": str(run_id)})
    asked = {name: str(value) for name, value in asdict(wanted).items() if value is not None}
    await audit.record(
        session, scope.org_id, scope.actor.user_id, Act.PIPELINE_REPLAYED, subjects=len(found), asked=asked
    )
    return len(found)


async def prune(session: AsyncSession, *, before: datetime) -> int:
    """Forget steps that ended before a moment; how many. Called by a flow that sees all organizations."""
    statement = delete(PipelineRun).where(col(PipelineRun.finished_at) < before)
    return int((await session.execute(statement)).rowcount)  # type: ignore[attr-defined]


def _subject(run: PipelineRun) -> tuple[str, UUID] | None:
    """The event that makes a pipeline do a step again."""
    if run.pipeline == "persist" and run.document_id is not None:
        return outbox.DOCUMENT_CHANGED, run.document_id
    if run.pipeline == "export" and run.subject_id is not None:
        return outbox.EXPORT_REQUESTED, run.subject_id
    return None


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    columns = {
        "state": col(PipelineRun.state),
        "pipeline": col(PipelineRun.pipeline),
        "step": col(PipelineRun.step),
        "document_id": col(PipelineRun.document_id),
    }
    given = {name: getattr(wanted, name) for name in columns}
    found = [columns[name] == value for name, value in given.items() if value is not None]
    if wanted.since is not None:
        found.append(col(PipelineRun.started_at) >= wanted.since)
    if wanted.until is not None:
        found.append(col(PipelineRun.started_at) < wanted.until)
    return found
