"""Telling people things, in the transaction of what happened, and what became of that."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from models import outbox
from models.auth import Actor
from models.errors import NotFound
from models.notifications.preferences import Mailing, with_mailing
from models.notifications.tables import DocumentWatch, Notification
from models.orgs import DocumentScope, Permission

CHANNEL = "doxie_notifications"
"""Postgres notifies here, with the id of a user, once something they are told is committed."""


class Kind(StrEnum):
    """What people are told about, named `noun.past`."""

    ACCESS_GRANTED = "access.granted"
    ACCESS_REQUESTED = "access.requested"
    DOCUMENT_CHANGED = "document.changed"
    DOCUMENT_EMPTIED = "document.emptied"
    EXPORT_FAILED = "export.failed"
    EXPORT_SUCCEEDED = "export.succeeded"


MAILED_ANYWAY = frozenset({Kind.ACCESS_GRANTED, Kind.ACCESS_REQUESTED, Kind.DOCUMENT_EMPTIED})
"""Each has a mail of its own, whatever somebody has set: it answers or asks something."""

QUIET_SECONDS = 60.0
MAX_AGE_SECONDS = 300.0
"""Who wants mails at once gets one when nothing more has come for so long, at the latest after the second."""


class Watching(StrEnum):
    """How much somebody wants to hear of a document."""

    WATCH = "watch"
    MUTE = "mute"
    DEFAULT = "default"
    """Its creator hears of it, others do not."""


class NotificationNotFound(NotFound):
    """You have no such notification."""


# Muted people hear nothing of the document. Who has been told already is not told again.
_TELL = (
    text("""
    WITH told AS (
        INSERT INTO notifications (org_id, id, user_id, event, kind, document_id, actor_id, data, created_at)
        SELECT :org_id, uuidv7(), given.user_id, :event, :kind, :document_id, :actor_id, :data, now()
        FROM unnest(:users) AS given (user_id)
        WHERE NOT EXISTS (
            SELECT FROM document_watches AS muted
            WHERE muted.org_id = :org_id AND muted.document_id = :document_id
                AND muted.user_id = given.user_id AND muted.state = 'mute'
        )
        ON CONFLICT (org_id, user_id, event) DO NOTHING
        RETURNING user_id
    )
    SELECT user_id, pg_notify(:channel, user_id::text) FROM told
""")
    .bindparams(
        bindparam("org_id", type_=Uuid),
        bindparam("document_id", type_=Uuid),
        bindparam("actor_id", type_=Uuid),
        bindparam("users", type_=ARRAY(Uuid)),
        bindparam("data", type_=JSONB),
        bindparam("event", type_=Text),
        bindparam("kind", type_=Text),
    )
    .columns(user_id=Uuid)
)

# One unread notification says that a document has changed, however often it did.
_WATCHERS = text("""
    SELECT users.user_id FROM (
        SELECT created_by AS user_id FROM documents WHERE org_id = :org_id AND id = :document_id
        UNION
        SELECT user_id FROM document_watches
        WHERE org_id = :org_id AND document_id = :document_id AND state = 'watch'
    ) AS users
    JOIN memberships ON memberships.org_id = :org_id AND memberships.user_id = users.user_id
        AND memberships.suspended_at IS NULL
    WHERE users.user_id <> ALL (:authors) AND NOT EXISTS (
        SELECT FROM notifications AS unread
        WHERE unread.org_id = :org_id AND unread.user_id = users.user_id AND unread.document_id = :document_id
            AND unread.kind = 'document.changed' AND unread.read_at IS NULL
    )
""").bindparams(
    bindparam("org_id", type_=Uuid), bindparam("document_id", type_=Uuid), bindparam("authors", type_=ARRAY(Uuid))
)


async def tell(
    session: AsyncSession,
    org_id: UUID,
    users: Iterable[UUID],
    kind: Kind,
    event: str,
    *,
    document_id: UUID | None = None,
    actor_id: UUID | None = None,
    **data: Any,
) -> None:
    """Tell people something, each once for an event. Nobody is told what they did themselves."""
    told = {
        "org_id": org_id,
        "users": [user_id for user_id in dict.fromkeys(users) if user_id != actor_id],
        "kind": kind,
        "event": event,
        "document_id": document_id,
        "actor_id": actor_id,
        "data": data,
        "channel": CHANNEL,
    }
    newly = [row.user_id for row in await session.execute(_TELL, told)]
    if newly and kind not in MAILED_ANYWAY:
        await _mail_soon(session, await with_mailing(session, org_id, newly, Mailing.IMMEDIATE))


async def _mail_soon(session: AsyncSession, users: list[UUID]) -> None:
    """Let those get a mail who want it at once: a moment later, so that what comes together is one mail."""
    if users:
        subjects = [(outbox.NO_ORG, user_id) for user_id in users]
        await outbox.emit(session, outbox.NOTIFICATION_TOLD, subjects, quiet=QUIET_SECONDS, max_age=MAX_AGE_SECONDS)


async def tell_watchers(
    session: AsyncSession, org_id: UUID, document_id: UUID, event: str, *, authors: list[UUID], **data: Any
) -> None:
    """Tell whoever watches a document that others have changed it."""
    named = {"org_id": org_id, "document_id": document_id, "authors": authors}
    watchers = list(await session.scalars(_WATCHERS, named))
    if watchers:
        actor_id = authors[0] if len(authors) == 1 else None
        known = {"document_id": document_id, "actor_id": actor_id}
        await tell(session, org_id, watchers, Kind.DOCUMENT_CHANGED, event, **known, **data)


async def of(
    session: AsyncSession, actor: Actor, *, before: UUID | None = None, unread_only: bool = False, limit: int = 50
) -> list[Notification]:
    """What somebody is told, newest first, older than an id."""
    query = select(Notification).where(Notification.user_id == actor.user_id)
    if before is not None:
        query = query.where(col(Notification.id) < before)
    if unread_only:
        query = query.where(col(Notification.read_at).is_(None))
    return list(await session.scalars(query.order_by(col(Notification.id).desc()).limit(limit)))


async def unread(session: AsyncSession, actor: Actor, *, after: UUID, limit: int = 100) -> list[Notification]:
    """What somebody is told and has not read, oldest first, newer than an id."""
    query = (
        select(Notification)
        .where(
            Notification.user_id == actor.user_id,
            col(Notification.id) > after,
            col(Notification.read_at).is_(None),
        )
        .order_by(col(Notification.id))
        .limit(limit)
    )
    return list(await session.scalars(query))


async def mark_read(session: AsyncSession, actor: Actor, notification_id: UUID) -> None:
    """Somebody has read it.

    Raises:
        NotificationNotFound: it is not theirs, or there is none.
    """
    query = select(Notification).where(Notification.id == notification_id, Notification.user_id == actor.user_id)
    found: Notification | None = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if found is None:
        raise NotificationNotFound()
    found.read_at = found.read_at or clock.now()
    await session.flush()


async def mark_all_read(session: AsyncSession, actor: Actor) -> None:
    """Somebody has read everything."""
    query = update(Notification).where(col(Notification.user_id) == actor.user_id, col(Notification.read_at).is_(None))
    await session.execute(query.values(read_at=clock.now()).execution_options(synchronize_session=False))


async def watching(session: AsyncSession, scope: DocumentScope) -> Watching:
    """How much one wants to hear of a document."""
    scope.require(Permission.DOCUMENT_READ)
    found = await session.get(DocumentWatch, (scope.org_id, scope.document_id, scope.actor.user_id))
    return Watching(found.state) if found else Watching.DEFAULT


async def set_watching(session: AsyncSession, scope: DocumentScope, wanted: Watching) -> None:
    """Hear more or less of a document."""
    scope.require(Permission.DOCUMENT_READ)
    row = {"org_id": scope.org_id, "document_id": scope.document_id, "user_id": scope.actor.user_id}
    if wanted is Watching.DEFAULT:
        found = await session.get(DocumentWatch, tuple(row.values()))
        if found is not None:
            await session.delete(found)
        return
    values = insert(DocumentWatch).values(**row, state=wanted)
    await session.execute(values.on_conflict_do_update(index_elements=list(row), set_={"state": wanted}))
