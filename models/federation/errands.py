"""Sending somebody to a provider, and knowing them when they come back.

An errand lies in Postgres until its first callback. The browser carries a signed cookie that names
it, the provider carries the state; both have to fit, so a callback works in the browser it began in, once.
"""

import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from infra import clock, sealing
from infra.settings import OidcProvider, Settings
from infra.tokens import Signer, TokenError
from models.auth import Actor
from models.factors import reauthentication
from models.federation.errors import ErrandForeign, ProviderUnknown, ReturnRefused
from models.federation.tables import Errand

LIFETIME = timedelta(minutes=10)

_PURPOSE = "federation"
# One slash and then no other: `//host` and `/\host` lead elsewhere. Printable ASCII: no header is split.
_LOCAL_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%?-][A-Za-z0-9._~!$&'()*+,;=:@%?/-]*)?")

_SWEEP = text("""
    DELETE FROM federation_errands WHERE id IN (
        SELECT id FROM federation_errands WHERE expires_at < now() LIMIT 100 FOR UPDATE SKIP LOCKED
    )
""")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must come back from the provider, and what proves to it that it comes back to us."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Sent:
    """An errand that begins: a cookie for the browser, and what goes into the address it is sent to."""

    cookie: str
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class Returned:
    """An errand that has come back."""

    secrets: Secrets
    return_to: str
    user_id: UUID | None
    session_id: UUID | None


def provider(settings: Settings, provider_id: str) -> OidcProvider:
    """A configured provider.

    Raises:
        ProviderUnknown: it is none.
    """
    for known in settings.oidc_providers:
        if known.id == provider_id:
            return known
    raise ProviderUnknown()


def redirect_uri(settings: Settings, provider_id: str) -> str:
    """Where a provider sends browsers back to; one for each, so that they cannot be mixed up."""
    return f"{settings.public_url.rstrip('/')}/api/v1/auth/oidc/{provider_id}/callback"


async def begin(session: AsyncSession, settings: Settings, signer: Signer, provider_id: str, *, return_to: str) -> Sent:
    """Send somebody to sign in.

    Raises:
        ReturnRefused: they would not come back to this site.
    """
    return await _begin(session, settings, signer, provider_id, return_to, None)


async def begin_link(
    session: AsyncSession, actor: Actor, settings: Settings, signer: Signer, provider_id: str, *, return_to: str
) -> Sent:
    """Send somebody who is signed in to a provider, to link their account there with this one.

    Raises:
        ReauthenticationNeeded: the session has not proved lately whose it is.
        ReturnRefused: they would not come back to this site.
    """
    await reauthentication.demand(session, actor)
    return await _begin(session, settings, signer, provider_id, return_to, actor)


async def take(
    session: AsyncSession, settings: Settings, signer: Signer, provider_id: str, *, cookie: str | None, state: str
) -> Returned:
    """The errand that a browser comes back from; commit it before anything else, since it counts once.

    Raises:
        ErrandForeign: there is none that fits, or it was another provider's.
    """
    query = select(Errand).where(Errand.id == _errand_id(signer, cookie)).with_for_update()
    errand = (await session.execute(query)).scalar_one_or_none()
    if errand is None or errand.provider != provider_id or errand.expires_at < clock.now():
        raise ErrandForeign()
    found = Secrets(**json.loads(sealing.unseal(settings, _PURPOSE, errand.sealed, place=errand.id.bytes)))
    if not hmac.compare_digest(found.state.encode(), state.encode()):
        raise ErrandForeign()
    await session.delete(errand)
    await session.flush()
    return Returned(found, errand.return_to, errand.user_id, errand.session_id)


async def _begin(
    session: AsyncSession,
    settings: Settings,
    signer: Signer,
    provider_id: str,
    return_to: str,
    actor: Actor | None,
) -> Sent:
    if len(return_to) > 2000 or not _LOCAL_PATH.fullmatch(return_to):
        raise ReturnRefused()
    made = Secrets(*(secrets.token_urlsafe(size) for size in (32, 32, 64)))
    errand_id = clock.new_id()
    content = json.dumps({"state": made.state, "nonce": made.nonce, "verifier": made.verifier}).encode()
    await session.execute(_SWEEP)
    session.add(
        Errand(
            id=errand_id,
            provider=provider_id,
            sealed=sealing.seal(settings, _PURPOSE, content, place=errand_id.bytes),
            return_to=return_to,
            user_id=actor.user_id if actor else None,
            session_id=actor.session_id if actor else None,
            expires_at=clock.now() + LIFETIME,
        )
    )
    await session.flush()
    cookie = signer.issue("federation", sub=str(errand_id), seconds=int(LIFETIME.total_seconds()))
    return Sent(cookie, made)


def _errand_id(signer: Signer, cookie: str | None) -> UUID:
    try:
        return UUID(signer.verify(cookie or "", typ="federation")["sub"])
    except TokenError as error:
        raise ErrandForeign() from error
