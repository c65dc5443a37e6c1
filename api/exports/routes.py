"""`/exports`: asking for a document in another format, and fetching it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.deps import Access, CurrentActor, CurrentRuntime, Session
from api.exports.schemas import ExportRead, ExportWrite
from api.idempotency import IdempotentRoute
from api.runtime import Runtime
from infra.tokens import TokenError
from models import exports, orgs
from models.exports import Export, Format
from models.orgs import Permission

router = APIRouter(tags=["exports"], route_class=IdempotentRoute)

DOWNLOAD_SECONDS = 600


@router.post("/documents/{document_id}/exports", status_code=202)
async def request(body: ExportWrite, session: Session, access: Access, runtime: CurrentRuntime) -> ExportRead:
    """Ask for a document in a format; a flow makes it."""
    export = await exports.request(session, access.scope, access.id, format=body.format, revision=body.revision)
    return _answer(export, runtime)


@router.get("/exports/{export_id}")
async def read(export_id: UUID, session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> ExportRead:
    """How far an export is, and where to fetch it."""
    export = await exports.find(session, export_id)
    (await orgs.enter(session, actor, export.org_id)).require(Permission.DOCUMENT_READ)
    return _answer(export, runtime)


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
    data = await exports.fetch(runtime.store, export)
    kind = Format(export.format)
    headers = {
        "content-disposition": f'attachment; filename="{export.document_id}.{exports.SUFFIXES[kind]}"',
        "content-security-policy": "sandbox",
        "etag": f'"{export.sha256}"',
    }
    return Response(data, media_type=exports.MEDIA_TYPES[kind], headers=headers)


def _answer(export: Export, runtime: Runtime) -> ExportRead:
    answer = ExportRead.model_validate(export)
    if export.state == "succeeded":
        token = runtime.signer.issue("download", sub=str(export.id), seconds=DOWNLOAD_SECONDS, org=str(export.org_id))
        base = runtime.settings.public_url
        answer.download_url = f"{base}/api/v1/exports/{export.id}/download?token={token}"
    return answer
