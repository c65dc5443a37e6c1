"""One mail of what somebody has not read: once a day, or soon after it happened.

Notifications are marked in the transaction that queues the mail, so each is in one mail at most; a digest also has a
row for its day, which only one worker can make.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from infra import mail as addresses
from infra.db import set_scope
from infra.settings import Settings
from models import documents, mail, orgs
from models.auth import Actor, User
from models.digests import unsubscribing
from models.digests.tables import Digest
from models.errors import Forbidden, NotFound
from models.notifications import MAILED_ANYWAY, Kind, Mailing, Notification, preferences
from models.orgs import Organization, Permission

SHOWN = 20
"""Lines of one mail; how many more there are is said."""

_DUE = text("""
    SELECT DISTINCT waiting.user_id FROM notifications AS waiting
    LEFT JOIN mail_preferences AS general ON general.user_id = waiting.user_id
    LEFT JOIN digests ON digests.user_id = waiting.user_id AND digests.day = :day
    WHERE waiting.read_at IS NULL AND waiting.mailed_at IS NULL AND waiting.kind <> ALL (:never)
        AND general.mailing IS DISTINCT FROM 'off' AND digests.day IS NULL
    ORDER BY 1
""")


async def due(session: AsyncSession, day: date) -> list[UUID]:
    """Who may be due for the digest of a day; the session must be one that sees all organizations."""
    return list(await session.scalars(_DUE, {"day": day, "never": [kind.value for kind in MAILED_ANYWAY]}))


async def send_daily(session: AsyncSession, settings: Settings, user_id: UUID, day: date) -> int:
    """Queue somebody's digest of a day, unless that has been done; how many notifications are in it."""
    made = insert(Digest).values(user_id=user_id, day=day, created_at=clock.now(), notifications=0)
    if await session.scalar(made.on_conflict_do_nothing().returning(col(Digest.user_id))) is None:
        return 0
    told = await _send(session, settings, user_id, Mailing.DAILY)
    if told:
        digest = await session.get_one(Digest, (user_id, day))
        digest.notifications = told
    else:  # something may still happen today
        await session.execute(delete(Digest).filter_by(user_id=user_id, day=day))
    return told


async def send_soon(session: AsyncSession, settings: Settings, user_id: UUID) -> int:
    """Queue a mail of what somebody wants to know at once, and was not mailed; how many notifications are in it."""
    return await _send(session, settings, user_id, Mailing.IMMEDIATE)


async def forget(session: AsyncSession, *, before: datetime) -> int:
    """Forget which digests were sent before; how many."""
    gone = delete(Digest).where(col(Digest.created_at) < before).returning(col(Digest.user_id))
    return len((await session.execute(gone.execution_options(synchronize_session=False))).all())


async def _send(session: AsyncSession, settings: Settings, user_id: UUID, mailing: Mailing) -> int:
    user = await session.get(User, user_id)
    if user is None or user.erased_at is not None or (settings.requires_verified_email and not user.email_verified_at):
        return 0
    actor = Actor(user_id, None, user.name)
    await set_scope(session, user_id=user_id, org_ids=())
    theirs = {organization.id: organization for organization, _ in await orgs.of(session, actor)}
    await set_scope(session, user_id=user_id, org_ids=theirs)
    wanted = [org_id for org_id in theirs if await preferences.with_mailing(session, org_id, [user_id], mailing)]
    found = await _waiting(session, user_id, wanted)
    lines = await _lines(session, actor, found, theirs)
    for item in found:
        item.mailed_at = clock.now()
    await session.flush()
    if lines:
        hidden = len(lines) - SHOWN
        await mail.send(
            session,
            to=user.email,
            template="notifications",
            name=user.name,
            lines=lines[:SHOWN],
            more=f"… and {hidden} more." if hidden > 0 else "",
            link=addresses.page(settings, ""),
            unsubscribe=unsubscribing.link(settings, user_id),
        )
    return len(found) if lines else 0


async def _waiting(session: AsyncSession, user_id: UUID, org_ids: Sequence[UUID]) -> list[Notification]:
    query = (
        select(Notification)
        .where(
            Notification.user_id == user_id,
            col(Notification.org_id).in_(org_ids),
            col(Notification.kind).not_in(MAILED_ANYWAY),
            col(Notification.read_at).is_(None),
            col(Notification.mailed_at).is_(None),
        )
        .order_by(col(Notification.org_id), col(Notification.id))
        .with_for_update()
    )
    return list(await session.scalars(query))


async def _lines(
    session: AsyncSession, actor: Actor, found: Sequence[Notification], theirs: dict[UUID, Organization]
) -> list[str]:
    """What happened, in order, the same said once; nothing of what they may not read any more."""
    authors = {item.actor_id for item in found if item.actor_id}
    rows = await session.execute(select(User.id, User.name).where(col(User.id).in_(authors)))
    names: dict[UUID, str] = {row[0]: row[1] for row in rows}
    titles: dict[UUID, str | None] = {}
    for document_id in {item.document_id for item in found if item.document_id}:
        titles[document_id] = await _title(session, actor, document_id)
    lines = []
    for item in found:
        about = titles[item.document_id] if item.document_id else f"all of {theirs[item.org_id].name}"
        if about is not None:
            who = names.get(item.actor_id) if item.actor_id else None
            lines.append(f"{_said(Kind(item.kind), about, who)} ({theirs[item.org_id].name})")
    return [line if times == 1 else f"{line}, {times} times" for line, times in Counter(lines).items()]


async def _title(session: AsyncSession, actor: Actor, document_id: UUID) -> str | None:
    """What a document is called; None where they may not know."""
    try:
        document, scope = await documents.enter(session, actor, document_id)
        scope.require(Permission.DOCUMENT_READ)
    except (NotFound, Forbidden):
        return None
    return f"“{document.title}”" if document.title else "a document without a title"


def _said(kind: Kind, about: str, who: str | None) -> str:
    match kind:
        case Kind.EXPORT_SUCCEEDED:
            return f"The export of {about} is ready"
        case Kind.EXPORT_FAILED:
            return f"The export of {about} failed"
        case _:
            return f"{who or 'Somebody'} changed {about}"
