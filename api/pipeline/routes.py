"""`/documents/{id}/pipeline` and `/pipeline`: what flows did, and doing it again."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import Access, CurrentActor, CurrentPage, CurrentRuntime, Session
from api.idempotency import IdempotentRoute
from api.pipeline.schemas import Replayed, RunRead, Runs
from models import orgs, pipeline

router = APIRouter(tags=["pipeline"], route_class=IdempotentRoute)


@router.get("/documents/{document_id}/pipeline")
async def page(session: Session, access: Access, page: CurrentPage, runtime: CurrentRuntime) -> Runs:
    """The steps done for a document, newest first, with the flow run of each."""
    found = await pipeline.of_document(session, access.scope, access.id, after=page.after, limit=page.limit + 1)
    items = [RunRead.of(run, runtime.settings.prefect_ui_url) for run in found[: page.limit]]
    return Runs(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)


@router.post("/pipeline/{run_id}/replay", status_code=202)
async def replay(run_id: UUID, session: Session, actor: CurrentActor) -> Replayed:
    """Let the pipeline of a step work on its document again."""
    run = await pipeline.find(session, run_id)
    await pipeline.replay(session, await orgs.enter(session, actor, run.org_id), run)
    return Replayed(run_id=run_id)
