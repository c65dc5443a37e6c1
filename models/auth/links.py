"""Links that are sent by mail, each good for one thing, once.

Whoever asks for one is not told whether there is such an account, not even by the time it takes: asking
is a wish written down (`ask`), the same for every address, and a flow finds out what to do (`answer`).
"""

import hashlib
import json
import secrets
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock, sealing
from infra.mail import link
from infra.settings import Settings
from models import mail, outbox
from models.auth import queries
from models.auth.tables import LinkRequest, MailLink, User
from models.errors import Invalid


class Purpose(StrEnum):
    """What a link is for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - no password
    CHANGE_EMAIL = "change_email"


class Wish(StrEnum):
    """What somebody asked for."""

    REGISTER = "register"
    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - no password
    CHANGE_EMAIL = "change_email"


LIFETIME = {
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.RESET_PASSWORD: timedelta(hours=1),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
}
PAGES = {
    Purpose.VERIFY_EMAIL: "verify-email",
    Purpose.RESET_PASSWORD: "reset-password",
    Purpose.CHANGE_EMAIL: "change-email",
}
"""The pages of the web application that take the tokens."""
_SEAL = "link-request"


class LinkOver(Invalid):
    """This link does not work (any more): ask for another one."""


async def ask(session: AsyncSession, settings: Settings, wish: Wish, **content: str) -> None:
    """Write a wish down; a flow answers it."""
    request = LinkRequest(purpose=wish)
    request.sealed = sealing.seal(settings, _SEAL, json.dumps(content).encode(), place=request.id.bytes)
    session.add(request)
    await session.flush()
    await outbox.emit(session, outbox.LINK_REQUESTED, [(outbox.NO_ORG, request.id)])


async def take(session: AsyncSession, settings: Settings, request_id: UUID) -> tuple[Wish, dict[str, str]] | None:
    """A wish and its content, which is forgotten with it; None where it was answered already."""
    request = await session.get(LinkRequest, request_id, with_for_update=True)
    if request is None:
        return None
    content: dict[str, str] = json.loads(sealing.unseal(settings, _SEAL, request.sealed, place=request.id.bytes))
    await session.delete(request)
    return Wish(request.purpose), content


async def send(
    session: AsyncSession,
    settings: Settings,
    user: User,
    purpose: Purpose,
    *,
    to: str,
    name: str | None = None,
    password_hash: str | None = None,
) -> None:
    """Mail somebody a link."""
    token = secrets.token_urlsafe(32)
    session.add(
        MailLink(
            hash=digest(token),
            user_id=user.id,
            purpose=purpose,
            email=to,
            name=name,
            password_hash=password_hash,
            expires_at=clock.now() + LIFETIME[purpose],
        )
    )
    await session.flush()
    words = {} if purpose is Purpose.VERIFY_EMAIL else {"name": user.name}
    await mail.send(session, to=to, template=purpose, link=link(settings, PAGES[purpose], token), **words)


async def find(session: AsyncSession, purpose: Purpose, token: str) -> MailLink:
    """What a link is about, which goes on working.

    Raises:
        LinkOver: it is none of ours, not for this, too old, or was used.
    """
    found = await queries.mail_link(session, digest(token), purpose)
    if found is None:
        raise LinkOver()
    return found


async def redeem(session: AsyncSession, purpose: Purpose, token: str) -> MailLink:
    """What a link is about. It has worked for the last time.

    Raises:
        LinkOver: it is none of ours, not for this, too old, or was used.
    """
    found = await queries.redeem(session, digest(token), purpose)
    if found is None:
        raise LinkOver()
    return found


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()
