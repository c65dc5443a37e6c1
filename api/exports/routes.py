"""`/exports`: asking for a document in another format or for a whole organization, and fetching it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from api.deps import Access, CurrentActor, CurrentRuntime, Scope, Session
from api.exports.schemas import ArchiveWrite, ExportRead, ExportWrite
from api.idempotency import IdempotentRoute
from api.runtime import Runtime
from infra.tokens import TokenError
from models import exports
from models.exports import Export, Format

router = APIRouter(tags=["exports"], route_class=IdempotentRoute)

DOWNLOAD_SECONDS = 600


@router.post("/documents/{document_id}/exports", status_code=202)
async def request(body: ExportWrite, session: Session, access: Access, runtime: CurrentRuntime) -> ExportRead:
    """Ask for a document in a format; a flow makes it."""
    export = await exports.request(session, access.scope, access.id, format=body.format, revision=body.revision)
    return _answer(export, runtime)


@router.post("/orgs/{org_id}/exports", status_code=202)
async def request_archive(
    session: Session, scope: Scope, runtime: CurrentRuntime, body: ArchiveWrite | None = None
) -> ExportRead:
    """Ask for a zip of every document one may read in the organization; a flow makes it."""
    return _answer(await exports.request_archive(session, scope), runtime)


@router.get("/exports/{export_id}")
async def read(export_id: UUID, session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> ExportRead:
    """How far an export is, and where to fetch it."""
    return _answer(await exports.see(session, actor, export_id), runtime)


@router.get("/exports/{export_id}/download", response_class=Response)
async def download(export_id: UUID, runtime: CurrentRuntime, token: Annotated[str, Query(max_length=4096)]) -> Response:
    """The export itself. The token in `download_url` is the permission."""
    try:
        claims = runtime.signer.verify(token, typ="download")
    except TokenError as error:
        raise exports.ExportNotFound() from error
    if claims["sub"] != str(export_id):
        raise exports.ExportNotFound()
    async with runtime.db.transaction(org_ids=[UUID(claims["org"])]) as session:
        export = await exports.find(session, export_id)
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


def _answer(export: Export, runtime: Runtime) -> ExportRead:
    answer = ExportRead.model_validate(export)
    if export.state == "succeeded":
        token = runtime.signer.issue("download", sub=str(export.id), seconds=DOWNLOAD_SECONDS, org=str(export.org_id))
        base = runtime.settings.public_url
        answer.download_url = f"{base}/api/v1/exports/{export.id}/download?token={token}"
    return answer
