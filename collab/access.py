"""Who may sit at a document: the claims of a collab token, or a browser's own cookie from an allowed Origin."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from collab.protocol import Close
from collab.seat import CannotOpen, Guest, Link
from infra.db import Database
from infra.settings import Settings
from infra.tokens import Signer, TokenError
from models import auth, documents, sharing
from models.errors import Forbidden, NotFound, Unauthenticated
from models.orgs import Permission

COOKIES: Final = ("__Host-doxie_access", "doxie_access")


def token_guest(signer: Signer, token: str, document_id: UUID) -> Guest:
    """The guest a collab token admits to this document; one with a link has to be looked up (`guest_now`) as well.

    Raises:
        CannotOpen: it is no such token, or one for another document.
    """
    try:
        claims = signer.verify(token, typ="collab")
        link = (claims["link"], claims["epoch"]) if "link" in claims else None
        guest = _guest(claims["sub"], claims.get("sid"), claims["org"], claims["doc"], claims["access"], link)
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise CannotOpen(Close.WHO_ARE_YOU, "token is not valid") from error
    if guest.document_id != document_id:
        raise CannotOpen(Close.NOT_FOUND, "no such document")
    return guest


@lru_cache(maxsize=4096)  # in a storm everybody shows a token that was shown before
def _guest(sub: str, sid: str | None, org: str, doc: str, access: str, link: tuple[str, int] | None) -> Guest:
    return Guest(
        user_id=UUID(sid if link else sub),
        session_id=UUID(sid) if sid else None,
        org_id=UUID(org),
        document_id=UUID(doc),
        may_write=access == "write",
        link=Link(UUID(link[0]), link[1]) if link else None,
    )


def cookie_claims(signer: Signer, settings: Settings, headers: Mapping[str, str]) -> dict[str, Any] | None:
    """The claims of the access token in a browser's cookie; None without one, or from a page of somebody else's.

    A browser sends cookies along whatever page opens the socket, so the page's origin must be one of ours.
    """
    if not origin_allowed(settings, headers.get("origin", ""), headers.get("host", "")):
        return None
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    for name in COOKIES:
        if name in jar:
            try:
                return signer.verify(jar[name].value, typ="access")
            except TokenError:
                return None
    return None


def origin_allowed(settings: Settings, origin: str, host: str) -> bool:
    """Whether pages of this origin may use the cookie: ours, those allowed, and this very host."""
    if not origin or origin == "null":
        return False
    if origin in settings.allowed_origins or origin == settings.public_url.rstrip("/"):
        return True
    return urlsplit(origin).netloc == host


async def cookie_guest(db: Database, claims: dict[str, Any], document_id: UUID) -> Guest:
    """The guest that somebody who is signed in is at this document.

    Raises:
        CannotOpen: the session is over, or the document is not theirs.
    """
    try:
        async with db.transaction(user_id=auth.subject(claims)) as session:
            actor = await auth.identify(session, claims)
            document, scope = await documents.enter(session, actor, document_id)
    except Unauthenticated as error:
        raise CannotOpen(Close.WHO_ARE_YOU, error.detail) from error
    except NotFound as error:
        raise CannotOpen(Close.NOT_FOUND, "no such document") from error
    except Forbidden as error:
        raise CannotOpen(Close.FORBIDDEN, error.detail) from error
    may_write = scope.allows(Permission.DOCUMENT_WRITE)
    return Guest(actor.user_id, actor.session_id, document.org_id, document_id, may_write)


async def unchanged(db: Database, guests: Collection[Guest]) -> set[Guest]:
    """Of many guests those who would be admitted now just as they were, a few statements for all.

    Who is not among them has to be asked for alone: their access is another one, or comes from elsewhere.
    """
    with_session = [guest for guest in guests if guest.session_id is not None and guest.link is None]
    with_link = [(guest.link.id, guest) for guest in guests if guest.link is not None]
    org_ids = {guest.org_id for guest in guests}
    live: set[tuple[UUID, UUID]] = set()
    rights: dict[tuple[UUID, UUID], bool] = {}
    links: dict[UUID, sharing.LiveLink] = {}
    if with_session:
        async with db.direct(org_ids=org_ids) as direct:
            live = await auth.live(direct, [guest.session_id for guest in with_session if guest.session_id])
            rights = await documents.may_write(direct, [(guest.user_id, guest.document_id) for guest in with_session])
    if with_link:
        async with db.transaction(org_ids=org_ids) as session:
            links = await sharing.live(session, [link_id for link_id, _ in with_link])
    still_linked = {guest for link_id, guest in with_link if link_id in links and _fits(guest, links[link_id])}
    return still_linked | {
        guest
        for guest in with_session
        if (guest.session_id, guest.user_id) in live
        and rights.get((guest.user_id, guest.document_id)) in (True, guest.may_write)
    }


async def guest_now(db: Database, guest: Guest) -> Guest:
    """The guest as they would be admitted now.

    Raises:
        CannotOpen: they would not be.
    """
    if guest.link is not None:
        return await _link_guest(db, guest, guest.link)
    claims = {"sub": str(guest.user_id), "sid": str(guest.session_id)}
    now = await cookie_guest(db, claims, guest.document_id)
    return replace(now, may_write=now.may_write and guest.may_write)  # a token may have been for reading only


async def _link_guest(db: Database, guest: Guest, link: Link) -> Guest:
    async with db.transaction(org_ids=[guest.org_id]) as session:
        found = (await sharing.live(session, [link.id])).get(link.id)
    if found is None or found.document_id != guest.document_id or found.epoch != link.epoch:
        raise CannotOpen(Close.FORBIDDEN, "the link is over")
    return replace(guest, may_write=found.may_write)


def _fits(guest: Guest, link: sharing.LiveLink) -> bool:
    return (
        guest.link is not None
        and (link.document_id, link.epoch) == (guest.document_id, guest.link.epoch)
        and link.may_write in (True, guest.may_write)
    )
