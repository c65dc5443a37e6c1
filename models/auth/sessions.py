"""Sessions: beginning one, continuing it, ending it."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import get_history

from infra import clock, origin
from infra.settings import Settings
from infra.tokens import Signer, TokenError
from models import audit
from models.audit import AccountAct
from models.auth import queries
from models.auth.identity import Actor, SessionOver, session_of
from models.auth.tables import AuthSession, RefreshToken, User
from models.errors import Forbidden, NotFound

GRACE = timedelta(seconds=10)
"""A refresh token used twice within so long is a race of tabs, not a thief."""

MOST_SESSIONS = 100
"""Of one account; with one more the one that was used least recently ends."""
FORGOTTEN = timedelta(days=30)
"""So long after its end a session is still known, to tell its owner where they were signed in."""


class EmailUnverified(Forbidden):
    """Confirm your email address first: follow the link that was mailed to you, or ask for another one."""


class SessionNotFound(NotFound):
    """You have no such session."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where somebody signs in from."""

    user_agent: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session that has just begun or gone on, with the refresh token to continue it."""

    user: User
    session: AuthSession
    refresh_token: str
    displaced: tuple[UUID, ...] = ()
    """Sessions that ended, since there were too many."""


async def sign_in(
    session: AsyncSession, user: User, device: Device, settings: Settings, *, method: str = "password"
) -> SignIn:
    """Begin a session for somebody who has shown who they are. Call it last: it notes the act.

    Raises:
        EmailUnverified: their address has to be verified first.
        SessionOver: their password was changed since it was verified.
    """
    if settings.requires_verified_email and user.email_verified_at is None:
        raise EmailUnverified()
    if user.deletion_due_at is not None:
        await queries.keep_account(session, user.id)
        await audit.record_account(session, user.id, AccountAct.DELETION_WITHDRAWN)
    await settle_password(session, user)
    lifetime = timedelta(seconds=settings.refresh_token_seconds)
    auth_session = AuthSession(
        user_id=user.id, user_agent=device.user_agent[:400], ip=device.ip, expires_at=clock.now() + lifetime
    )
    session.add(auth_session)
    await session.flush()
    token = secrets.token_urlsafe(32)
    session.add(RefreshToken(hash=_digest(token), session_id=auth_session.id))
    await session.flush()
    displaced = await queries.tidy_sessions(session, user.id, most=MOST_SESSIONS, forgotten=FORGOTTEN)
    for ended in displaced:
        await audit.record_account(session, user.id, AccountAct.SESSION_DISPLACED, session_id=str(ended))
    await audit.record_account(session, user.id, AccountAct.SIGNED_IN, session_id=str(auth_session.id), method=method)
    return SignIn(user, auth_session, token, tuple(displaced))


async def settle_password(session: AsyncSession, user: User) -> None:
    """Make sure that the password that was verified is still the account's; store a hash that `verify` has renewed.

    Raises:
        SessionOver: it is not.
    """
    changed = get_history(user, "password_hash")
    verified = changed.deleted[0] if changed.deleted else user.password_hash
    if await queries.locked_hash(session, user.id) != verified:
        raise SessionOver()
    if verified != user.password_hash:
        await queries.store_hash(session, user.id, str(user.password_hash))


@dataclass(frozen=True, slots=True)
class Replayed:
    """A refresh token was used again: its session has been revoked."""

    user_id: UUID
    session_id: UUID


async def refresh(session: AsyncSession, token: str, settings: Settings) -> SignIn | Replayed:
    """Exchange a refresh token for its successor.

    The successor is derived from the token and a secret, so that nothing but hashes is stored and
    a second request within the grace still gets the same one. Later it is a replay: somebody has a
    copy, and the session ends. That has to be committed, so it is an answer and no exception.

    Raises:
        SessionOver: the token is unknown or its session is over.
    """
    used = await queries.refresh_token(session, _digest(token))
    live = await queries.live_session(session, used.session_id) if used else None
    if used is None or live is None:
        raise SessionOver()
    user, auth_session = live
    successor = _successor(token, settings)
    if used.used_at is None:
        used.used_at = clock.now()
        session.add(RefreshToken(hash=_digest(successor), session_id=auth_session.id))
        auth_session.last_used_at, auth_session.ip = clock.now(), origin.current().ip or auth_session.ip
    elif clock.now() - used.used_at > GRACE:
        await queries.revoke(session, auth_session.id)
        await audit.record_account(session, user.id, AccountAct.REFRESH_REPLAYED, session_id=str(auth_session.id))
        return Replayed(user.id, auth_session.id)
    await session.flush()
    return SignIn(user, auth_session, successor)


def access_token(signer: Signer, signed_in: SignIn, settings: Settings) -> str:
    """A short-lived token that names the user and the session."""
    return signer.issue(
        "access",
        sub=str(signed_in.user.id),
        seconds=settings.access_token_seconds,
        sid=str(signed_in.session.id),
    )


async def sessions(session: AsyncSession, actor: Actor) -> list[AuthSession]:
    """Where somebody is signed in, newest first."""
    return await queries.live_sessions(session, actor.user_id)


async def revoke(session: AsyncSession, actor: Actor, session_id: UUID) -> None:
    """End one of one's own sessions.

    Raises:
        SessionNotFound: there is none such.
    """
    if await queries.revoke(session, session_id, user_id=actor.user_id) is None:
        raise SessionNotFound()
    await audit.record_account(session, actor.user_id, AccountAct.SESSION_REVOKED, session_id=str(session_id))


async def revoke_others(session: AsyncSession, actor: Actor) -> list[UUID]:
    """End all of one's sessions but the one this is done in; those that ended."""
    ended = await queries.revoke_all(session, actor.user_id, but=actor.session_id)
    if ended:
        await audit.record_account(session, actor.user_id, AccountAct.SESSIONS_REVOKED, sessions=len(ended))
    return ended


async def revoke_all(session: AsyncSession, user_id: UUID) -> None:
    """End every session of an account, and every token issued so far, whatever it says."""
    ended = await queries.revoke_all(session, user_id)
    await queries.end_tokens(session, user_id)
    await audit.record_account(session, user_id, AccountAct.SESSIONS_REVOKED, sessions=len(ended))


async def end_everything(session: AsyncSession, user_id: UUID) -> None:
    """End every session of an account, its personal access tokens, and every link that was mailed to it."""
    await queries.revoke_all(session, user_id, tokens=True)
    await queries.end_tokens(session, user_id)
    await queries.drop_links(session, user_id)


async def sign_out(session: AsyncSession, token: str) -> UUID | None:
    """End the session of a refresh token, if it has one; which that was."""
    used = await queries.refresh_token(session, _digest(token))
    return await _end(session, used.session_id) if used else None


async def sign_out_access(session: AsyncSession, signer: Signer, token: str) -> UUID | None:
    """End the session of an access token, if it is one; which that was."""
    try:
        session_id = session_of(signer.verify(token, typ="access"))
    except TokenError:
        return None
    return await _end(session, session_id)


async def _end(session: AsyncSession, session_id: UUID) -> UUID | None:
    user_id = await queries.revoke(session, session_id)
    if user_id is None:
        return None
    await audit.record_account(session, user_id, AccountAct.SIGNED_OUT, session_id=str(session_id))
    return session_id


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _successor(token: str, settings: Settings) -> str:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, b"refresh:" + token.encode(), hashlib.sha256).hexdigest()
