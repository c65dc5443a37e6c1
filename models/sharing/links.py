"""Links that open a document to whoever has them.

A link is a token with a secret, of which only the hash is stored. Opening it gives a signed token for a short time that
names the link; each use of that looks the link up again, so that revoking it, or another password, counts at once.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock, hashing
from infra.tokens import Signer, TokenError
from models import audit
from models.audit import Act
from models.errors import Invalid
from models.orgs import LEVELS, DocumentScope, Level, LinkVisitor, OrgScope, Permission
from models.sharing import queries
from models.sharing.errors import LinkNotFound, PasswordNeeded
from models.sharing.grants import require_outside
from models.sharing.tables import ShareLink

SECONDS = 15 * 60
"""How long an opened link can be used before it has to be opened again."""


class Expired(Invalid):
    """A link ends in the future."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the token of a link says."""

    org_id: UUID
    link_id: UUID
    secret: str


@dataclass(frozen=True, slots=True)
class LiveLink:
    """A link that is worth something, for whoever watches over many at once."""

    document_id: UUID
    epoch: int
    may_write: bool


async def links(session: AsyncSession, scope: DocumentScope) -> list[ShareLink]:
    """The links to the document that are not revoked, newest first."""
    scope.require(Permission.DOCUMENT_SHARE)
    return await queries.links(session, scope.org_id, scope.document_id)


async def make_link(
    session: AsyncSession,
    scope: DocumentScope,
    *,
    level: Level,
    expires_at: datetime | None = None,
    password_hash: str | None = None,
) -> tuple[ShareLink, str]:
    """A link and its token, which is shown this once.

    Raises:
        NotOutside: one may not let people from outside in.
        Expired: it would be over already.
    """
    scope.require(Permission.DOCUMENT_SHARE)
    await require_outside(session, scope)
    _require_future(expires_at)
    secret = secrets.token_urlsafe(32)
    link = ShareLink(
        org_id=scope.org_id,
        document_id=scope.document_id,
        secret_hash=_digest(secret),
        level=level,
        password_hash=password_hash,
        created_by=scope.actor.user_id,
        expires_at=expires_at,
    )
    session.add(link)
    await session.flush()
    await _note(session, scope, Act.SHARE_LINK_MADE, link)
    return link, f"{scope.org_id}.{link.id}.{secret}"


async def change_link(session: AsyncSession, scope: DocumentScope, link_id: UUID, **changes: Any) -> ShareLink:
    """Change what is given of `level`, `expires_at` and `password_hash`.

    With another password the link has to be opened again by everybody.
    """
    scope.require(Permission.DOCUMENT_SHARE)
    await require_outside(session, scope)
    _require_future(changes.get("expires_at"))
    link = await _link(session, scope, link_id)
    for name, value in changes.items():
        setattr(link, name, value)
    if "password_hash" in changes:
        link.epoch += 1
    await session.flush()
    await _note(session, scope, Act.SHARE_LINK_CHANGED, link, changed=sorted(changes))
    return link


async def revoke_link(session: AsyncSession, scope: DocumentScope, link_id: UUID) -> None:
    """End a link for everybody."""
    scope.require(Permission.DOCUMENT_SHARE)
    link = await _link(session, scope, link_id)
    link.revoked_at = clock.now()
    await session.flush()
    await _note(session, scope, Act.SHARE_LINK_REVOKED, link)


def keys(token: str) -> Keys:
    """What the token of a link says.

    Raises:
        LinkNotFound: it is no such token.
    """
    try:
        org_id, link_id, secret = token.split(".", 2)
        return Keys(UUID(org_id), UUID(link_id), secret)
    except ValueError as error:
        raise LinkNotFound() from error


async def find_link(session: AsyncSession, given: Keys) -> ShareLink:
    """The link of a token, in a session scoped to its organization.

    Raises:
        LinkNotFound: unknown, expired, revoked, to something that is gone: nobody learns which.
    """
    link = await _live(session, given.link_id)
    fits = hmac.compare_digest(link.secret_hash if link else b"", _digest(given.secret))
    if link is None or not fits or link.org_id != given.org_id:
        raise LinkNotFound()
    return link


async def check_password(link: ShareLink, password: str | None) -> None:
    """Slow by design, so call it outside of a transaction.

    Raises:
        PasswordNeeded: the link has a password, and this is another one, or none.
    """
    if link.password_hash is None:
        return
    if password is None or not await hashing.verify_password(link.password_hash, password):
        raise PasswordNeeded()


async def open_link(session: AsyncSession, signer: Signer, given: Keys, checked: ShareLink) -> tuple[str, LinkVisitor]:
    """A token to use a link with whose password was checked; who came, as far as it is known.

    Raises:
        LinkNotFound: meanwhile it is over, or has another password.
    """
    link = await find_link(session, given)
    if link.epoch != checked.epoch:
        raise LinkNotFound()
    link.opened_at = clock.now()
    await session.flush()
    visitor = _visitor(link, clock.new_id())
    await audit.record(session, link.org_id, None, Act.SHARE_LINK_OPENED, link.document_id, link=str(link.id))
    token = signer.issue("shared", sub=str(link.id), seconds=SECONDS, **claims(visitor, link.epoch))
    return token, visitor


async def note_refusal(session: AsyncSession, link: ShareLink) -> None:
    """Somebody came with the wrong password."""
    await audit.record(session, link.org_id, None, Act.SHARE_LINK_REFUSED, link.document_id, link=str(link.id))


def claims(visitor: LinkVisitor, epoch: int) -> dict[str, Any]:
    """What a token says of an opened link besides its subject, which is the link."""
    return {
        "sid": str(visitor.visitor_id),
        "org": str(visitor.org_id),
        "doc": str(visitor.document_id),
        "epoch": epoch,
    }


def opened(signer: Signer, token: str) -> dict[str, Any]:
    """The claims of a token that opening a link has given.

    Raises:
        LinkNotFound: it is no such token, or over.
    """
    try:
        return signer.verify(token, typ="shared")
    except TokenError as error:
        raise LinkNotFound() from error


async def recognize(session: AsyncSession, opened: dict[str, Any]) -> LinkVisitor:
    """Whom the claims of an opened link speak for, as the link is now, in a session scoped to its organization.

    Raises:
        LinkNotFound: it is revoked, expired, or has another password.
    """
    link = await _live(session, UUID(opened["sub"]))
    if link is None or (str(link.org_id), str(link.document_id), link.epoch) != (
        opened["org"],
        opened["doc"],
        opened["epoch"],
    ):
        raise LinkNotFound()
    return _visitor(link, UUID(opened["sid"]))


async def live(session: AsyncSession, link_ids: Sequence[UUID]) -> dict[UUID, LiveLink]:
    """Of many links those that are worth something now, in a session scoped to their organizations. One round trip."""
    return {
        link.id: LiveLink(link.document_id, link.epoch, link.level >= LEVELS[Permission.DOCUMENT_WRITE])
        for link in await queries.live_links(session, link_ids)
    }


async def _live(session: AsyncSession, link_id: UUID) -> ShareLink | None:
    return next(iter(await queries.live_links(session, [link_id])), None)


def _visitor(link: ShareLink, visitor_id: UUID) -> LinkVisitor:
    return LinkVisitor(link.org_id, link.document_id, link.id, visitor_id, Level(link.level))


async def _link(session: AsyncSession, scope: DocumentScope, link_id: UUID) -> ShareLink:
    link = await queries.link(session, scope.org_id, scope.document_id, link_id)
    if link is None:
        raise LinkNotFound()
    return link


def _require_future(moment: datetime | None) -> None:
    if moment is not None and moment <= clock.now():
        raise Expired()


async def _note(session: AsyncSession, scope: OrgScope, act: Act, link: ShareLink, **details: Any) -> None:
    details |= {"link": str(link.id), "level": Level(link.level).name.lower()}
    details["password"] = link.password_hash is not None
    await audit.record(session, scope.org_id, scope.actor.user_id, act, link.document_id, **details)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
