"""`/documents/{id}/revisions`: listing, naming, opening and restoring revisions."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from api.deps import Access, CurrentPage, CurrentRuntime, Later, Session
from api.documents import content
from api.documents.routes import YJS
from api.idempotency import IdempotentRoute
from api.revisions.schemas import Restored, RevisionRead, Revisions, RevisionWrite
from infra.bus import Kind
from models import revisions
from models.errors import Invalid

router = APIRouter(prefix="/documents/{document_id}/revisions", tags=["revisions"], route_class=IdempotentRoute)


@router.get("")
async def page(session: Session, access: Access, page: CurrentPage) -> Revisions:
    """Revisions, newest first."""
    before = _number(page.cursor)
    found = await revisions.page(session, access.scope, access.id, before=before, limit=page.limit + 1)
    items = [RevisionRead.of(revision) for revision in found[: page.limit]]
    return Revisions(items=items, next_cursor=str(items[-1].number) if len(found) > page.limit else None)


@router.post("", status_code=201)
async def name(body: RevisionWrite, session: Session, access: Access) -> RevisionRead:
    """Name the document as it is now."""
    return RevisionRead.of(await revisions.name(session, access.scope, access.id, name=body.name))


@router.get("/{number}")
async def read(number: int, session: Session, access: Access) -> RevisionRead:
    """One revision."""
    return RevisionRead.of(await revisions.read(session, access.scope, access.id, number))


@router.get(
    "/{number}/state",
    response_class=Response,
    responses={200: {"content": {YJS: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def state(number: int, session: Session, access: Access, runtime: CurrentRuntime) -> Response:
    """The document as it was, as one Yjs update."""
    revision = await revisions.read(session, access.scope, access.id, number)
    update = await revisions.state_at(session, access.scope, runtime.store, access.id, revision.seq_to)
    return Response(update, media_type=YJS, headers={"x-doxie-seq": str(revision.seq_to)})


@router.get(
    "/{number}/content",
    response_class=Response,
    responses=content.RESPONSES,
)
async def read_content(
    number: int,
    session: Session,
    access: Access,
    runtime: CurrentRuntime,
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """The content as it was, as Markdown, ProseMirror JSON or HTML."""
    seq = (await revisions.read(session, access.scope, access.id, number)).seq_to
    return await content.respond(session, access.scope, runtime.store, access.id, seq, accept=accept)


@router.post("/{number}/restore")
async def restore(number: int, session: Session, access: Access, runtime: CurrentRuntime, later: Later) -> Restored:
    """Make the document what it was then, as one more edit that open editors see."""
    seq, update = await revisions.restore(session, access.scope, runtime.store, access.id, number)
    later.append(lambda: runtime.bus.publish(access.id, Kind.UPDATE, update, seq=seq))
    return Restored(seq=seq, restored=number)


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isdecimal() or len(cursor) > 9:
        raise Invalid("The cursor is not one of ours.")
    return int(cursor)
