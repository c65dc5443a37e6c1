"""`/orgs/{id}/audit` and `/auth/log`: who did what, for the admins of an organization and for oneself."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from api.audit import export
from api.audit.schemas import AccountEventRead, AccountEvents, AuditEventRead, AuditEvents
from api.deps import CurrentActor, CurrentPage, CurrentRuntime, Scope, Session, only_reads
from api.routing import v1
from models import audit
from models.audit import Act
from models.orgs import Permission

router = v1(tags=["audit"])

Format = Literal["jsonl", "csv"]


async def _wanted(
    action: Annotated[str | None, Query(max_length=100, description="only these acts, like document.trashed")] = None,
    actor_id: Annotated[UUID | None, Query(description="only what they did")] = None,
    target_id: Annotated[UUID | None, Query(description="only what was done to this")] = None,
    since: Annotated[datetime | None, Query(description="not before")] = None,
    until: Annotated[datetime | None, Query(description="before")] = None,
) -> audit.Wanted:
    return audit.Wanted(action, actor_id, target_id, since, until)


CurrentWanted = Annotated[audit.Wanted, Depends(_wanted)]


@router.get("/orgs/{org_id}/audit")
@only_reads
async def page(session: Session, scope: Scope, page: CurrentPage, wanted: CurrentWanted) -> AuditEvents:
    """What was done in an organization, newest first."""
    scope.require(Permission.AUDIT_READ)
    found = await audit.log(session, scope.org_id, wanted, after=page.after, limit=page.limit + 1)
    items = [AuditEventRead.model_validate(event) for event in found[: page.limit]]
    return AuditEvents(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)


@router.get(
    "/orgs/{org_id}/audit/export",
    response_class=StreamingResponse,
    responses={
        200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in export.MEDIA_TYPES.values()}}
    },
)
async def export_all(
    session: Session, scope: Scope, wanted: CurrentWanted, runtime: CurrentRuntime, format: Format = "jsonl"
) -> StreamingResponse:
    """All of it, as JSON lines or CSV, oldest last. That it was exported is noted, too."""
    scope.require(Permission.AUDIT_READ)
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.AUDIT_EXPORTED, None, format=format)

    async def pages() -> AsyncIterator[list[AuditEventRead]]:
        """Each in a transaction of its own: a slow reader holds none open."""
        after = None
        while True:
            async with runtime.db.transaction(user_id=scope.actor.user_id, org_ids=[scope.org_id]) as own:
                found = await audit.log(own, scope.org_id, wanted, after=after, limit=export.ROWS_AT_ONCE)
            if not found:
                return
            after = found[-1].id
            yield [AuditEventRead.model_validate(event) for event in found]

    return StreamingResponse(
        export.WRITERS[format](pages()),
        media_type=export.MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="audit-{scope.org_id}.{format}"'},
    )


@router.get("/auth/log")
async def own(session: Session, actor: CurrentActor, page: CurrentPage) -> AccountEvents:
    """What was done by and to one's own account, newest first."""
    found = await audit.account_log(session, actor.user_id, after=page.after, limit=page.limit + 1)
    items = [AccountEventRead.model_validate(event) for event in found[: page.limit]]
    return AccountEvents(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)
