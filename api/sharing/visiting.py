"""`/shared`: opening a link, and what somebody without an account can do with it.

The bearer token here is the one that opening a link has given. It is worth nothing elsewhere, and others nothing here.
A link shows the document as it is now, and not what it was.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import CurrentRuntime, Later, bearer, read_body
from api.documents import content
from api.documents.routes import YJS
from api.documents.schemas import CollabToken, Saved
from api.routing import v1
from api.sharing.schemas import Opened, OpenWrite, SharedDocument
from infra.bus import Kind
from models import documents, revisions, sharing
from models.documents import DocumentView, crdt
from models.errors import Unauthenticated
from models.orgs import LinkScope, LinkVisitor, Permission
from models.sharing import PasswordNeeded

router = v1("/shared", tags=["sharing"])


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody with an open link, in a transaction, at the document."""

    session: AsyncSession
    document: DocumentView
    scope: LinkScope
    visitor: LinkVisitor
    epoch: int


async def _visit(request: Request, runtime: CurrentRuntime, later: Later) -> AsyncIterator[Visit]:
    token = bearer(request)
    if token is None:
        raise Unauthenticated()
    claims = sharing.opened(runtime.signer, token)
    async with runtime.db.transaction(org_ids=[UUID(claims["org"])]) as session:
        visitor = await sharing.recognize(session, claims)
        document, scope = await documents.visit(session, visitor)
        yield Visit(session, document, scope, visitor, claims["epoch"])
    for call in later:
        await call()


CurrentVisit = Annotated[Visit, Depends(_visit, scope="function")]


@router.post("/open")
async def open_link(body: OpenWrite, runtime: CurrentRuntime) -> Opened:
    """Open a link. Unknown, expired and revoked ones are all the same."""
    keys = sharing.keys(body.token)
    async with runtime.db.transaction(org_ids=[keys.org_id]) as session:
        link = await sharing.find_link(session, keys)
    try:
        # Argon2 takes its time: no transaction is open meanwhile.
        await sharing.check_password(link, body.password.get_secret_value() if body.password else None)
    except PasswordNeeded:
        if body.password is not None:
            async with runtime.db.transaction(org_ids=[keys.org_id]) as session:
                await sharing.note_refusal(session, link)
        raise
    async with runtime.db.transaction(org_ids=[keys.org_id]) as session:
        token, visitor = await sharing.open_link(session, runtime.signer, keys, link)
    return Opened(access_token=token, expires_in=sharing.SECONDS, level=visitor.level)


@router.get("/document")
async def read(visit: CurrentVisit) -> SharedDocument:
    """What the link opens."""
    return SharedDocument.model_validate(visit.document)


@router.get(
    "/state",
    response_class=Response,
    responses={200: {"content": {YJS: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def state(visit: CurrentVisit, runtime: CurrentRuntime) -> Response:
    """The document as it is now, as one Yjs update."""
    seq = visit.document.seq
    update = await revisions.state_at(visit.session, visit.scope, runtime.store, visit.document.id, seq)
    return Response(update, media_type=YJS, headers={"x-doxie-seq": str(seq), "etag": f'"{seq}"'})


@router.get("/content", response_class=Response, responses=content.RESPONSES)
async def read_content(
    visit: CurrentVisit, runtime: CurrentRuntime, accept: Annotated[str, Header()] = "*/*"
) -> Response:
    """The content as Markdown, ProseMirror JSON or HTML, as `Accept` asks."""
    document = visit.document
    response = await content.respond(
        visit.session, visit.scope, runtime.store, document.id, document.seq, accept=accept
    )
    response.headers["etag"] = f'"{document.seq}"'
    return response


@router.post(
    "/updates",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {YJS: {"schema": {"type": "string", "format": "binary", "description": "Yjs v1 update"}}},
        }
    },
)
async def autosave(request: Request, visit: CurrentVisit, runtime: CurrentRuntime, later: Later) -> Saved:
    """Add one Yjs update, with the link as its author."""
    visit.scope.require(Permission.DOCUMENT_WRITE)
    update = await read_body(request, runtime.settings.max_update_bytes)
    await crdt.check(update)
    document_id = visit.document.id
    seq = await documents.edit(visit.session, visit.scope, document_id, update, origin="share")
    later.append(lambda: runtime.bus.publish(document_id, Kind.UPDATE, update, seq=seq))
    return Saved(seq=seq)


@router.post("/collab-token")
async def collab_token(visit: CurrentVisit, runtime: CurrentRuntime) -> CollabToken:
    """A token to open the document in an editor."""
    settings = runtime.settings
    access = "write" if visit.scope.allows(Permission.DOCUMENT_WRITE) else "read"
    link_id = str(visit.visitor.link_id)
    token = runtime.signer.issue(
        "collab",
        sub=link_id,
        seconds=settings.collab_token_seconds,
        access=access,
        link=link_id,
        **sharing.claims(visit.visitor, visit.epoch),
    )
    return CollabToken(token=token, url=settings.collab_url, expires_in=settings.collab_token_seconds, access=access)
