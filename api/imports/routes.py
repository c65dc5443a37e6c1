"""`/imports`: files that become documents."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from api.deps import CurrentActor, CurrentRuntime, Scope, Session
from api.imports.schemas import ImportRead
from api.imports.upload import read_upload
from api.routing import v1
from models import imports
from models.orgs import Permission

router = v1(tags=["imports"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}}


@router.post(
    "/orgs/{org_id}/imports",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": _FORM,
                **dict.fromkeys(imports.unpacking.MEDIA_TYPES, _BINARY),
            },
        }
    },
)
async def request_import(
    request: Request,
    session: Session,
    scope: Scope,
    runtime: CurrentRuntime,
    file_name: Annotated[str | None, Query(max_length=255)] = None,
) -> ImportRead:
    """Make documents of a Markdown, HTML or Word file, or of a zip of them: the body, or the file of a form."""
    scope.require(Permission.DOCUMENT_CREATE)
    upload = await read_upload(request, file_name, runtime.settings.max_import_bytes)
    kind = imports.kind_of(upload.name, upload.media_type)
    name = (upload.name or f"import.{kind}").replace("\0", "")
    wish = await imports.request(session, scope, runtime.store, file_name=name, kind=kind, data=upload.data)
    return ImportRead.of(wish, [])


@router.get("/imports/{import_id}")
async def read(import_id: UUID, session: Session, actor: CurrentActor) -> ImportRead:
    """How far an import of one's own is, and what became of each thing in it."""
    return ImportRead.of(*await imports.see(session, actor, import_id))
