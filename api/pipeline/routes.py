"""`/documents/{id}/pipeline` and `/pipeline`: what flows did, and doing it again."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AwareDatetime

from api.deps import Access, CurrentActor, CurrentPage, CurrentRuntime, Scope, Session, only_reads
from api.pipeline.schemas import Replayed, ReplayedRange, RunRead, Runs, RunState, Wanted
from api.routing import v1
from models import orgs, pipeline
from models.pipeline import Filter


async def _filter(
    state: RunState | None = None,
    pipeline: Annotated[str | None, Query(max_length=50)] = None,
    step: Annotated[str | None, Query(max_length=50)] = None,
    document_id: UUID | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Filter:
    return Filter(state, pipeline, step, document_id, since, until)


CurrentFilter = Annotated[Filter, Depends(_filter)]

router = v1(tags=["pipeline"])


@router.get("/documents/{document_id}/pipeline")
@only_reads
async def page(session: Session, access: Access, page: CurrentPage, runtime: CurrentRuntime) -> Runs:
    """The steps done for a document, newest first, with the flow run of each."""
    found = await pipeline.of_document(session, access.scope, access.id, after=page.after, limit=page.limit + 1)
    items = [RunRead.of(run, runtime.settings.prefect_ui_url) for run in found[: page.limit]]
    return Runs(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)


@router.get("/orgs/{org_id}/pipeline")
@only_reads
async def org_page(
    session: Session, scope: Scope, page: CurrentPage, runtime: CurrentRuntime, wanted: CurrentFilter
) -> Runs:
    """The steps done in an organization, newest first. `state=set_aside` shows what waits to be looked at."""
    found = await pipeline.page(session, scope, wanted, after=page.after, limit=page.limit + 1)
    items = [RunRead.of(run, runtime.settings.prefect_ui_url) for run in found[: page.limit]]
    return Runs(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)


@router.post("/orgs/{org_id}/pipeline/replay", status_code=202)
async def replay_range(body: Wanted, session: Session, scope: Scope) -> ReplayedRange:
    """Work again on everything that the newest 1 000 such steps were about, as after a fix."""
    return ReplayedRange(subjects=await pipeline.replay_range(session, scope, body.filter()))


@router.post("/pipeline/{run_id}/replay", status_code=202)
async def replay(run_id: UUID, session: Session, actor: CurrentActor) -> Replayed:
    """Let the pipeline of a step work on its document again."""
    run = await pipeline.find(session, run_id)
    await pipeline.replay(session, await orgs.enter(session, actor, run.org_id), run)
    return Replayed(run_id=run_id)
