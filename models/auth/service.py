"""Accounts and sessions: registering, signing in, refreshing, signing out."""

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock, hashing
from infra.settings import Settings
from infra.tokens import Signer, TokenError
from models.auth import queries
from models.auth.identity import Actor, SessionOver, session_of
from models.auth.tables import AuthSession, RefreshToken, User
from models.errors import Conflict, Invalid, NotFound, Unauthenticated

GRACE = timedelta(seconds=10)
"""A refresh token used twice within so long is a race of tabs, not a thief."""

_COMMON = frozenset(
    """
    password password1 password12 password123 passw0rd 12345678 123456789 1234567890 qwertyui qwertyuiop
    qwerty123 iloveyou 11111111 00000000 abc12345 abcd1234 letmein1 welcome1 sunshine princess football
    baseball superman trustno1 1q2w3e4r 1qaz2wsx q1w2e3r4 changeme admin123 computer starwars
    """.split()  # noqa: SIM905 (a list of words reads better as text)
)


class EmailTaken(Conflict):
    """There is an account with this email address already."""


class WrongCredentials(Unauthenticated):
    """The email address and the password do not belong together."""


class SessionNotFound(NotFound):
    """You have no such session."""


class WeakPassword(Invalid):
    """A password has 8 to 1024 characters and is not one of the common ones."""


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


async def hash_new_password(password: str) -> str:
    """The hash to store for a password.

    Slow by design, so it takes no database session: call it before the transaction.

    Raises:
        WeakPassword: too short, too long or too common.
    """
    if not 8 <= len(password) <= 1024 or password.casefold() in _COMMON:
        raise WeakPassword()
    return await hashing.hash_password(unicodedata.normalize("NFKC", password))


async def verify(user: User | None, password: str) -> User:
    """The user, if the password is theirs; takes as long where there is no such user.

    Slow by design: call it outside of a transaction.

    Raises:
        WrongCredentials: it is not.
    """
    stored = user.password_hash if user else None
    if not await hashing.verify_password(stored, unicodedata.normalize("NFKC", password[:1024])) or user is None:
        raise WrongCredentials()
    return user


async def by_email(session: AsyncSession, email: str) -> User | None:
    """The account of an address."""
    return await queries.user_by_email(session, email)


async def register(session: AsyncSession, *, email: str, name: str, password_hash: str) -> User:
    """A new account.

    Raises:
        EmailTaken: the address has one already.
    """
    if await queries.user_by_email(session, email) is not None:
        raise EmailTaken()
    user = User(email=email, name=name, password_hash=password_hash)
    session.add(user)
    await session.flush()
    return user


async def sign_in(session: AsyncSession, user: User, device: Device, settings: Settings) -> SignIn:
    """Begin a session for somebody whose password has been verified."""
    lifetime = timedelta(seconds=settings.refresh_token_seconds)
    auth_session = AuthSession(
        user_id=user.id, user_agent=device.user_agent[:400], ip=device.ip, expires_at=clock.now() + lifetime
    )
    session.add(auth_session)
    await session.flush()
    token = secrets.token_urlsafe(32)
    session.add(RefreshToken(hash=_digest(token), session_id=auth_session.id))
    await session.flush()
    return SignIn(user, auth_session, token)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A refresh token was used again: its session has been revoked."""

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
        auth_session.last_used_at = clock.now()
    elif clock.now() - used.used_at > GRACE:
        await queries.revoke(session, auth_session.id)
        return Replayed(auth_session.id)
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


async def account(session: AsyncSession, actor: Actor) -> User:
    """The account of somebody who is signed in."""
    user = await session.get(User, actor.user_id)
    if user is None:
        raise SessionOver()
    return user


async def sessions(session: AsyncSession, actor: Actor) -> list[AuthSession]:
    """Where somebody is signed in, newest first."""
    return await queries.live_sessions(session, actor.user_id)


async def revoke(session: AsyncSession, actor: Actor, session_id: UUID) -> None:
    """End one of one's own sessions.

    Raises:
        SessionNotFound: there is none such.
    """
    if not await queries.revoke(session, session_id, user_id=actor.user_id):
        raise SessionNotFound()


async def sign_out(session: AsyncSession, token: str) -> UUID | None:
    """End the session of a refresh token, if it has one; which that was."""
    used = await queries.refresh_token(session, _digest(token))
    ended = used is not None and await queries.revoke(session, used.session_id)
    return used.session_id if used and ended else None


async def sign_out_access(session: AsyncSession, signer: Signer, token: str) -> UUID | None:
    """End the session of an access token, if it is one; which that was."""
    try:
        session_id = session_of(signer.verify(token, typ="access"))
    except TokenError:
        return None
    return session_id if await queries.revoke(session, session_id) else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _successor(token: str, settings: Settings) -> str:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, b"refresh:" + token.encode(), hashlib.sha256).hexdigest()
