"""`/exports`: asking for a document in another format or for a whole organization, and fetching it."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from api.deps import Access, CurrentActor, CurrentRuntime, Scope, Session
from api.exports.schemas import ArchiveWrite, ExportRead, ExportWrite
from api.routing import v1
from api.runtime import Runtime
from infra.tokens import TokenError
from models import auth, exports
from models.errors import Unauthenticated
from models.exports import Export, Format

router = v1(tags=["exports"])

DOWNLOAD_SECONDS = 600


@router.post("/documents/{document_id}/exports", status_code=202)
async def request(
    body: ExportWrite, session: Session, access: Access, actor: CurrentActor, runtime: CurrentRuntime
) -> ExportRead:
    """Ask for a document in a format; a flow makes it."""
    export = await exports.request(session, access.scope, access.id, format=body.format, revision=body.revision)
    return _answer(export, actor, runtime)


@router.post("/orgs/{org_id}/exports", status_code=202)
async def request_archive(
    session: Session,
    scope: Scope,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    body: ArchiveWrite | None = None,
) -> ExportRead:
    """Ask for a zip of every document one may read in the organization; a flow makes it."""
    return _answer(await exports.request_archive(session, scope), actor, runtime)


@router.get("/exports/{export_id}")
async def read(export_id: UUID, session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> ExportRead:
    """How far an export is, and where to fetch it."""
    return _answer(await exports.see(session, actor, export_id), actor, runtime)


@router.get("/exports/{export_id}/download", response_class=Response)
async def download(export_id: UUID, runtime: CurrentRuntime, token: Annotated[str, Query(max_length=4096)]) -> Response:
    """The export itself. The token in `download_url` stands for who asked for it, as long as they may see it."""
    try:
        claims = runtime.signer.verify(token, typ="download")
    except TokenError as error:
        raise exports.ExportNotFound() from error
    if claims["export"] != str(export_id):
        raise exports.ExportNotFound()
    try:
        async with runtime.db.transaction(user_id=auth.subject(claims)) as session:
            export = await exports.see(session, await auth.identify(session, claims), export_id)
    except Unauthenticated as error:
        raise exports.ExportNotFound() from error
    pieces = await exports.pieces(runtime.store, export)
    name, media_type = f"{export.org_id}.zip", "application/zip"
    if export.document_id is not None:
        kind = Format(export.format)
        name, media_type = f"{export.document_id}.{exports.SUFFIXES[kind]}", exports.MEDIA_TYPES[kind]
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "content-length": str(export.bytes),
        "content-security-policy": "sandbox",
        "etag": f'"{export.sha256}"',
    }
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


def _answer(export: Export, actor: auth.Actor, runtime: Runtime) -> ExportRead:
    answer = ExportRead.model_validate(export)
    if export.state == "succeeded":
        token = runtime.signer.issue(
            "download",
            sub=str(actor.user_id),
            seconds=DOWNLOAD_SECONDS,
            sid=str(actor.session_id),
            export=str(export.id),
        )
        base = runtime.settings.public_url
        answer.download_url = f"{base}/api/v1/exports/{export.id}/download?token={token}"
    return answer
