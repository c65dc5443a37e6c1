"""`/documents`: documents, autosave, state, content, and the way in for editors."""

import base64
import binascii
import re
from typing import Annotated
from uuid import UUID

from fastapi import Header, HTTPException, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import (
    Access,
    CurrentActor,
    CurrentPage,
    CurrentRuntime,
    IfMatch,
    Later,
    Revoked,
    Scope,
    Session,
    only_reads,
    read_body,
)
from api.documents import content
from api.documents.schemas import (
    CollabToken,
    DocumentChange,
    DocumentNew,
    DocumentRead,
    Documents,
    Erased,
    HitRead,
    Hits,
    Saved,
)
from api.errors import PROBLEM_SCHEMA
from api.routing import v1
from infra import bigstack
from infra.bus import Kind, Revocation
from models import documents, revisions
from models.auth import Actor
from models.documents import DocumentView, crdt, updates
from models.errors import Invalid, PreconditionFailed
from models.orgs import DocumentScope, Permission

router = v1(tags=["documents"])

YJS = "application/octet-stream"


@router.post("/orgs/{org_id}/documents", status_code=201)
async def create(
    body: DocumentNew, response: Response, session: Session, scope: Scope, actor: CurrentActor
) -> DocumentRead:
    """Create an empty document."""
    parent = await _parent(session, actor, body.parent_id)
    document = await documents.create(session, scope, title=body.title, parent=parent, org_access=body.org_access)
    response.headers["location"] = f"/api/v1/documents/{document.id}"
    return _answer(response, document)


@router.get("/orgs/{org_id}/documents")
@only_reads
async def page(
    session: Session,
    scope: Scope,
    page: CurrentPage,
    trashed: Annotated[bool, Query(description="those in the trash, instead of the others")] = False,
) -> Documents:
    """Documents of an organization, newest first."""
    found = await documents.page(session, scope, trashed=trashed, after=page.after, limit=page.limit + 1)
    items = [DocumentRead.model_validate(document) for document in found[: page.limit]]
    return Documents(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)


@router.get("/orgs/{org_id}/search")
@only_reads
async def search(
    session: Session,
    scope: Scope,
    q: Annotated[str, Query(min_length=1, max_length=300, description="words, or their beginnings")],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Hits:
    """Documents that have all the words in title or text, best first."""
    found = await documents.search(session, scope, q, limit=limit)
    return Hits(items=[HitRead.model_validate(hit) for hit in found])


@router.get("/documents/{document_id}")
async def read(response: Response, access: Access) -> DocumentRead:
    """One document."""
    return _answer(response, access.document)


@router.patch("/documents/{document_id}")
async def change(
    body: DocumentChange,
    response: Response,
    session: Session,
    access: Access,
    actor: CurrentActor,
    if_match: IfMatch = None,
) -> DocumentRead:
    """Give a document another title, or another place."""
    document, version = access.document, _version(if_match)
    if "title" in body.model_fields_set:
        if body.title is None:
            raise Invalid("A title is text; it may be empty.")
        document = await documents.rename(session, access.scope, access.id, title=body.title, version=version)
        version = None
    if "parent_id" in body.model_fields_set:
        parent = await _parent(session, actor, body.parent_id)
        document = await documents.move(session, access.scope, parent, version=version)
    return _answer(response, document)


@router.delete("/documents/{document_id}", status_code=204)
async def trash(session: Session, access: Access, revoked: Revoked, if_match: IfMatch = None) -> None:
    """Put a document into the trash."""
    revoked(Revocation(org_id=access.scope.org_id, document_id=access.id))
    await documents.trash(session, access.scope, access.id, version=_version(if_match))
    revoked(Revocation(document_id=access.id))


@router.post("/documents/{document_id}/recover")
async def recover(document_id: UUID, response: Response, session: Session, actor: CurrentActor) -> DocumentRead:
    """Take a document out of the trash."""
    document, scope = await documents.enter(session, actor, document_id, trashed=True)
    return _answer(response, await documents.recover(session, scope, document.id))


@router.post("/documents/{document_id}/erase", status_code=204)
async def erase(document_id: UUID, session: Session, actor: CurrentActor, revoked: Revoked) -> None:
    """Delete a document that is in the trash for good, with its whole history. There is no way back."""
    _, scope = await documents.enter(session, actor, document_id, trashed=True)
    await documents.erase(session, scope, document_id)
    revoked(Revocation(document_id=document_id))


@router.post("/orgs/{org_id}/trash/empty")
async def empty_trash(session: Session, scope: Scope) -> Erased:
    """Delete what is in the trash for good, as far as one manages it. Call it again until it erased nothing."""
    return Erased(erased=await documents.empty_trash(session, scope))


@router.post(
    "/documents/{document_id}/updates",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {YJS: {"schema": {"type": "string", "format": "binary", "description": "Yjs v1 update"}}},
        }
    },
)
async def autosave(
    document_id: UUID, request: Request, session: Session, actor: CurrentActor, runtime: CurrentRuntime, later: Later
) -> Saved:
    """Add one Yjs update. Answered once it is in the journal; open editors see it."""
    update = await read_body(request, runtime.settings.max_update_bytes)
    try:
        await crdt.check(update)
    except Invalid:
        await documents.enter(session, actor, document_id)  # only who may see it is told
        raise
    if "idempotency-key" in request.headers:
        # The edit and the answer that is kept under the key have to commit together.
        _, scope = await documents.enter(session, actor, document_id)
        seq = await documents.edit(session, scope, document_id, update, origin="rest")
        later.append(lambda: runtime.bus.publish(document_id, Kind.UPDATE, update, seq=seq))
    else:
        seq = await runtime.saver.save(actor, document_id, update)
    return Saved(seq=seq)


@router.get(
    "/documents/{document_id}/state",
    response_class=Response,
    responses={200: {"content": {YJS: {"schema": {"type": "string", "format": "binary"}}}}},
)
@only_reads
async def state(
    session: Session,
    access: Access,
    runtime: CurrentRuntime,
    sv: Annotated[
        str | None, Query(description="state vector, base64url: only what it lacks", max_length=65536)
    ] = None,
    seq: Annotated[int | None, Query(ge=0, description="the document after this update; now without")] = None,
) -> Response:
    """The document as one Yjs update, now or after any update."""
    wanted = access.document.seq if seq is None else seq
    update = await revisions.state_at(session, access.scope, runtime.store, access.id, wanted)
    if sv is not None:
        update = await bigstack.run(crdt.difference, update, _decoded(sv))
    return Response(update, media_type=YJS, headers={"x-doxie-seq": str(wanted), "etag": f'"{wanted}"'})


@router.get(
    "/documents/{document_id}/content",
    response_class=Response,
    responses=content.RESPONSES,
)
@only_reads
async def read_content(
    session: Session,
    access: Access,
    runtime: CurrentRuntime,
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """The content as Markdown, ProseMirror JSON or HTML, as `Accept` asks."""
    seq = access.document.seq
    response = await content.respond(session, access.scope, runtime.store, access.id, seq, accept=accept)
    response.headers["etag"] = f'"{seq}"'
    return response


@router.put(
    "/documents/{document_id}/content",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/markdown": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object", "description": "ProseMirror JSON"}},
            },
        }
    },
    responses={428: {"content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}}}},
)
async def write_content(
    request: Request,
    response: Response,
    session: Session,
    access: Access,
    runtime: CurrentRuntime,
    later: Later,
    if_match: IfMatch = None,
) -> Saved:
    """Make the content this: an edit no larger than the difference. `If-Match` is required."""
    access.scope.require(Permission.DOCUMENT_WRITE)
    if if_match is None:
        raise HTTPException(428, "Send If-Match with the ETag you read, or * to overwrite.")
    body = await read_body(request, runtime.settings.max_content_bytes)
    rewrite = content.parse(request.headers.get("content-type", ""), body)
    loaded = await revisions.load_at(session, access.scope, runtime.store, access.id)
    if if_match != "*" and _version(if_match) != loaded.seq:
        raise documents.DocumentChanged()
    update = await bigstack.run(rewrite, loaded.updates)
    seq = loaded.seq
    if update != updates.NOTHING:
        seq = await documents.edit(session, access.scope, access.id, update, origin="content")
        if if_match != "*" and seq != loaded.seq + 1:
            raise documents.DocumentChanged()
        later.append(lambda: runtime.bus.publish(access.id, Kind.UPDATE, update, seq=seq))
    response.headers["etag"] = f'"{seq}"'
    return Saved(seq=seq)


@router.post("/documents/{document_id}/collab-token")
async def collab_token(access: Access, actor: CurrentActor, runtime: CurrentRuntime) -> CollabToken:
    """A token to open the document in an editor."""
    may_write = access.scope.allows(Permission.DOCUMENT_WRITE)
    settings = runtime.settings
    token = runtime.signer.issue(
        "collab",
        sub=str(actor.user_id),
        seconds=settings.collab_token_seconds,
        sid=str(actor.session_id),
        org=str(access.document.org_id),
        doc=str(access.id),
        access="write" if may_write else "read",
        name=actor.name,
    )
    return CollabToken(
        token=token,
        url=settings.collab_url,
        expires_in=settings.collab_token_seconds,
        access="write" if may_write else "read",
    )


async def _parent(session: AsyncSession, actor: Actor, parent_id: UUID | None) -> DocumentScope | None:
    return None if parent_id is None else (await documents.enter(session, actor, parent_id))[1]


def _answer(response: Response, document: DocumentView) -> DocumentRead:
    response.headers["etag"] = f'"{document.version}"'
    return DocumentRead.model_validate(document)


def _version(if_match: str | None) -> int | None:
    """The number in an ETag of ours; any other tag matches nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'\s*(?:W/)?"(\d{1,18})"\s*', if_match)
    if found is None:
        raise PreconditionFailed()
    return int(found[1])


def _decoded(sv: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(sv + "=" * (-len(sv) % 4))
    except (binascii.Error, ValueError) as error:
        raise Invalid("The state vector is not base64url.") from error
