"""`/notifications`: what one is told, and hearing of it at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Header, Query
from fastapi.responses import StreamingResponse

from api.deps import Access, CurrentActor, CurrentClaims, CurrentPage, CurrentRuntime, Scope, Session, only_reads
from api.notifications.schemas import (
    MailingRead,
    MailingWrite,
    NotificationRead,
    Notifications,
    OrgMailingWrite,
    WatchRead,
    WatchWrite,
)
from api.routing import v1
from api.runtime import Runtime
from infra.clock import new_id
from models import auth, notifications
from models.auth import Actor
from models.errors import Unauthenticated
from models.notifications import Mailing, Notification, preferences

router = v1(tags=["notifications"])

HEARTBEAT_SECONDS: Final = 15.0


@router.get("/notifications")
@only_reads
async def page(
    session: Session,
    actor: CurrentActor,
    page: CurrentPage,
    unread: Annotated[bool, Query(description="only what is not read yet")] = False,
) -> Notifications:
    """What one is told, newest first."""
    found = await notifications.of(session, actor, before=page.after, unread_only=unread, limit=page.limit + 1)
    items = [NotificationRead.model_validate(item) for item in found[: page.limit]]
    return Notifications(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)


@router.post("/notifications/{notification_id}/read", status_code=204)
async def read(notification_id: UUID, session: Session, actor: CurrentActor) -> None:
    """Mark one as read."""
    await notifications.mark_read(session, actor, notification_id)


@router.post("/notifications/read", status_code=204)
async def read_all(session: Session, actor: CurrentActor) -> None:
    """Mark all as read."""
    await notifications.mark_all_read(session, actor)


@router.get(
    "/notifications/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(
    actor: CurrentActor,
    claims: CurrentClaims,
    runtime: CurrentRuntime,
    last_event_id: Annotated[UUID | None, Header()] = None,
) -> StreamingResponse:
    """Server-sent events: each notification as it comes; with `Last-Event-ID`, those missed first."""
    assert claims is not None, "there is an actor"
    events = _events(runtime, claims, actor, last_event_id or new_id())
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})


@router.get("/notifications/mailing")
async def mailing(session: Session, actor: CurrentActor) -> MailingRead:
    """How one gets notifications by mail."""
    general = await preferences.of(session, actor.user_id)
    return MailingRead(mailing=general, organizations=await preferences.of_orgs(session, actor.user_id))


@router.put("/notifications/mailing")
async def set_mailing(body: MailingWrite, session: Session, actor: CurrentActor) -> MailingRead:
    """Get them at once, once a day, or (`off`) none by mail, whatever is set for single organizations."""
    await preferences.prefer(session, actor.user_id, body.mailing)
    return await mailing(session, actor)


@router.put("/orgs/{org_id}/notifications/mailing", status_code=204)
async def set_org_mailing(body: OrgMailingWrite, session: Session, scope: Scope) -> None:
    """Get those of one organization differently; `default`: as all others."""
    await preferences.prefer_in_org(session, scope, None if body.mailing == "default" else Mailing(body.mailing))


@router.get("/documents/{document_id}/watch")
async def watching(session: Session, access: Access) -> WatchRead:
    """How much one wants to hear of a document."""
    return WatchRead(state=(await notifications.watching(session, access.scope)).value)


@router.put("/documents/{document_id}/watch")
async def watch(body: WatchWrite, session: Session, access: Access) -> WatchRead:
    """Hear of a document's changes, or of nothing there."""
    await notifications.set_watching(session, access.scope, body.state)
    return WatchRead(state=body.state.value)


async def _events(runtime: Runtime, claims: dict[str, Any], actor: Actor, after: UUID) -> AsyncIterator[str]:
    """What is sent. Each look asks anew who somebody is, so whoever is signed out hears no more."""
    yield "retry: 2000\n\n"
    with runtime.bulletin.news(actor.user_id) as news:
        while True:  # until the client goes: then this is cancelled
            news.clear()
            try:
                found = await _missed(runtime, claims, after)
            except Unauthenticated:
                return
            for item in found:
                after = item.id
                content = NotificationRead.model_validate(item).model_dump_json()
                yield f"id: {item.id}\nevent: {item.kind}\ndata: {content}\n\n"
            if not found and not await _heard(news):
                yield ": still here\n\n"


async def _heard(news: asyncio.Event) -> bool:
    """Wait for news; whether there are some before it is time to say that one is still here."""
    try:
        async with asyncio.timeout(HEARTBEAT_SECONDS):
            return await news.wait()
    except TimeoutError:
        return False


async def _missed(runtime: Runtime, claims: dict[str, Any], after: UUID) -> list[Notification]:
    async with runtime.db.transaction(user_id=auth.subject(claims)) as session:
        return await notifications.unread(session, await auth.identify(session, claims), after=after)
