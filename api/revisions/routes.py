"""`/documents/{id}/revisions`: listing, naming, opening, comparing, restoring and undoing."""

from typing import Annotated, Any

from fastapi import Header, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import Access, CurrentPage, CurrentRuntime, DocumentAccess, Later, Scope, Session, only_reads
from api.documents import content
from api.documents.routes import YJS
from api.revisions.schemas import (
    Authorship,
    Difference,
    Restored,
    RetentionRead,
    RetentionWrite,
    RevisionRead,
    Revisions,
    RevisionWrite,
    Undone,
    UndoWrite,
)
from api.routing import v1
from infra.bus import Kind
from models import revisions
from models.errors import Invalid

router = v1("/documents/{document_id}/revisions", tags=["revisions"])
present = v1(tags=["revisions"])
"""What is not about one revision."""

MAX_NUMBER = 2**31 - 1
DIFFERENCE_TYPES = ("application/json", "text/html")
DIFF_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"schema": {"type": "string", "description": "With <ins> and <del>"}}}}
}


@router.get("")
@only_reads
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
@only_reads
async def read(number: int, session: Session, access: Access) -> RevisionRead:
    """One revision."""
    return RevisionRead.of(await revisions.read(session, access.scope, access.id, number))


@router.get(
    "/{number}/state",
    response_class=Response,
    responses={200: {"content": {YJS: {"schema": {"type": "string", "format": "binary"}}}}},
)
@only_reads
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
@only_reads
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


@router.get("/{number}/diff", response_model=Difference, responses=DIFF_RESPONSES)
@only_reads
async def difference(
    number: int,
    session: Session,
    access: Access,
    runtime: CurrentRuntime,
    start: Annotated[int, Query(alias="from", ge=0, le=MAX_NUMBER)],
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """What changed from one revision (0: the empty document) to this one, as JSON or HTML. Either may be the older."""
    stop = (await revisions.read(session, access.scope, access.id, number)).seq_to
    since = await _seq_of(session, access, start)
    return _difference(
        await revisions.difference(session, access.scope, runtime.store, access.id, start=since, stop=stop), accept
    )


@router.get("/{number}/attribution")
@only_reads
async def attribution(number: int, session: Session, access: Access, runtime: CurrentRuntime) -> Authorship:
    """Who wrote each part of the document as it was."""
    seq = (await revisions.read(session, access.scope, access.id, number)).seq_to
    return Authorship.of(await revisions.attribution(session, access.scope, runtime.store, access.id, seq))


@router.post("/{number}/restore")
async def restore(number: int, session: Session, access: Access, runtime: CurrentRuntime, later: Later) -> Restored:
    """Make the document what it was then, as one more edit that open editors see."""
    seq, update = await revisions.restore(session, access.scope, runtime.store, access.id, number)
    later.append(lambda: runtime.bus.publish(access.id, Kind.UPDATE, update, seq=seq))
    return Restored(seq=seq, restored=number)


@present.get("/documents/{document_id}/diff", response_model=Difference, responses=DIFF_RESPONSES)
async def difference_to_now(
    session: Session,
    access: Access,
    runtime: CurrentRuntime,
    start: Annotated[int, Query(alias="from", ge=0, le=MAX_NUMBER)],
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """What changed since a revision (0: since the document was empty), as JSON or HTML."""
    since = await _seq_of(session, access, start)
    return _difference(
        await revisions.difference(session, access.scope, runtime.store, access.id, start=since, stop=None), accept
    )


@present.get("/documents/{document_id}/attribution")
async def attribution_now(session: Session, access: Access, runtime: CurrentRuntime) -> Authorship:
    """Who wrote each part of the document as it is."""
    return Authorship.of(await revisions.attribution(session, access.scope, runtime.store, access.id))


@present.post("/documents/{document_id}/undo")
async def undo(body: UndoWrite, session: Session, access: Access, runtime: CurrentRuntime, later: Later) -> Undone:
    """Take back what one person did since then and leave what others did, as one more edit that open editors see."""
    since = body.since_seq
    if since is None:
        since = await _seq_of(session, access, body.revision or 0)
    seq, update = await revisions.undo(
        session, access.scope, runtime.store, access.id, user_id=body.user_id, since=since
    )
    later.append(lambda: runtime.bus.publish(access.id, Kind.UPDATE, update, seq=seq))
    return Undone(seq=seq, user_id=body.user_id)


@present.get("/orgs/{org_id}/retention")
async def retention(session: Session, scope: Scope) -> RetentionRead:
    """How long the organization keeps automatic revisions."""
    policy = await revisions.policy(session, scope)
    return RetentionRead.model_validate(policy) if policy else RetentionRead()


@present.put("/orgs/{org_id}/retention")
async def set_retention(body: RetentionWrite, session: Session, scope: Scope) -> RetentionRead:
    """Keep fewer automatic revisions from now on; a flow removes the others."""
    return RetentionRead.model_validate(await revisions.set_policy(session, scope, **body.model_dump()))


async def _seq_of(session: AsyncSession, access: DocumentAccess, number: int) -> int:
    return (await revisions.read(session, access.scope, access.id, number)).seq_to if number else 0


def _difference(found: revisions.Comparison, accept: str) -> Response:
    if content.negotiate(accept, DIFFERENCE_TYPES) == "text/html":
        return Response(found.html, media_type="text/html", headers={"vary": "accept"})
    return Response(Difference.of(found).model_dump_json(), media_type="application/json", headers={"vary": "accept"})


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isdecimal() or len(cursor) > 9:
        raise Invalid("The cursor is not one of ours.")
    return int(cursor)
