"""Asking for access: whoever belongs to the organization asks, whoever manages the document decides."""

from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.mail import link
from infra.settings import get_settings
from models import audit, documents, mail, notifications
from models.audit import Act
from models.auth import Actor, User
from models.notifications import Kind
from models.orgs import DocumentScope, Level, Permission, require_token
from models.sharing import queries
from models.sharing.errors import AllowedAlready, RequestNotFound
from models.sharing.grants import grant_user
from models.sharing.tables import AccessRequest

MANAGERS_ASKED = 10


async def ask(session: AsyncSession, actor: Actor, document_id: UUID, *, level: Level, message: str) -> UUID | None:
    """Ask the managers of a document for a level on it; None where nobody is asked.

    Members and guests of its organization can ask. For everybody else there is no such document, and they must not
    learn whether there is: the caller gives the same answer to all. Asking again changes what was asked for.

    Raises:
        AllowedAlready: one may do that, and so knows the document.
    """
    require_token(actor, Permission.DOCUMENT_COMMENT)
    current = await documents.approach(session, actor, document_id)
    if current is None:
        return None
    if current.level >= level:
        raise AllowedAlready()
    document = await queries.document(session, current.org_id, document_id, lock=True)
    assert document is not None, "there is a scope for it"
    request = await queries.pending_of(session, current.org_id, document_id, actor.user_id)
    if request is not None:
        request.level, request.message = level, message
        await session.flush()
        return request.id
    request = AccessRequest(
        org_id=current.org_id, document_id=document_id, user_id=actor.user_id, level=level, message=message
    )
    session.add(request)
    await session.flush()
    await _note(session, current, Act.ACCESS_REQUESTED, request)
    managers = await queries.managers(session, document, at_most=MANAGERS_ASKED)
    await notifications.tell(
        session,
        current.org_id,
        [manager.id for manager in managers],
        Kind.ACCESS_REQUESTED,
        f"access-request:{request.id}",
        document_id=document_id,
        actor_id=actor.user_id,
        title=document.title,
        level=level.name.lower(),
        request_id=str(request.id),
    )
    for manager in managers:
        await mail.send(
            session,
            to=manager.email,
            template="access_requested",
            name=manager.name,
            asker=actor.name,
            document=document.title,
            level=level.name.lower(),
            message=message,
            link=link(get_settings(), "access-requests", f"{document_id}.{request.id}"),
        )
    return request.id


async def asked(session: AsyncSession, scope: DocumentScope) -> list[Row[tuple[AccessRequest, User]]]:
    """Who waits for access to the document."""
    scope.require(Permission.DOCUMENT_SHARE)
    return await queries.pending(session, scope.org_id, scope.document_id)


async def approve(
    session: AsyncSession, scope: DocumentScope, request_id: UUID, *, level: Level | None = None
) -> AccessRequest:
    """Grant what somebody asked for, or another level."""
    request = await _decide(session, scope, request_id, "approved")
    request.level = level or request.level
    await grant_user(session, scope, request.user_id, Level(request.level))
    await _answer(session, scope, request, "access_granted")
    return request


async def deny(session: AsyncSession, scope: DocumentScope, request_id: UUID) -> AccessRequest:
    """Say no, silently."""
    request = await _decide(session, scope, request_id, "denied")
    await _note(session, scope, Act.ACCESS_DENIED, request)
    return request


async def _decide(session: AsyncSession, scope: DocumentScope, request_id: UUID, state: str) -> AccessRequest:
    scope.require(Permission.DOCUMENT_SHARE)
    request = await queries.pending_request(session, scope.org_id, scope.document_id, request_id)
    if request is None:
        raise RequestNotFound()
    request.state, request.decided_by, request.decided_at = state, scope.actor.user_id, clock.now()
    await session.flush()
    return request


async def _answer(session: AsyncSession, scope: DocumentScope, request: AccessRequest, template: str) -> None:
    user = await session.get(User, request.user_id)
    document = await queries.document(session, scope.org_id, scope.document_id)
    assert user is not None, "the request refers to them"
    assert document is not None, "the scope is of it"
    await notifications.tell(
        session,
        scope.org_id,
        [user.id],
        Kind.ACCESS_GRANTED,
        f"access-granted:{request.id}",
        document_id=scope.document_id,
        actor_id=scope.actor.user_id,
        title=document.title,
        level=Level(request.level).name.lower(),
    )
    await mail.send(
        session,
        to=user.email,
        template=template,
        name=user.name,
        manager=scope.actor.name,
        document=document.title,
        level=Level(request.level).name.lower(),
    )


async def _note(session: AsyncSession, scope: DocumentScope, act: Act, request: AccessRequest) -> None:
    details = {"request": str(request.id), "user": str(request.user_id), "level": Level(request.level).name.lower()}
    await audit.record(session, scope.org_id, scope.actor.user_id, act, scope.document_id, **details)


async def managers(session: AsyncSession, org_id: UUID, document_id: UUID) -> tuple[str, list[User]]:
    """The title of a document, and who is told when something happens to it."""
    document = await queries.document(session, org_id, document_id)
    if document is None:
        return "", []
    return document.title, await queries.managers(session, document, at_most=MANAGERS_ASKED)
