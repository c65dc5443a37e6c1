"""Personal access tokens: what scripts sign in with, for a while and for some things only.

Each stands for a session of its own, of the kind `token`: whatever ends sessions or asks whether one lives does the
same for tokens.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock, origin
from models import audit
from models.audit import AccountAct
from models.auth import queries
from models.auth.identity import Actor, SessionOver
from models.auth.tables import AuthSession, PersonalAccessToken
from models.errors import Conflict, Forbidden, NotFound

PREFIX = "dox_pat_"
"""So that whoever finds one, as a scanner of public code does, knows what it is."""
LONGEST = timedelta(days=365)
MOST = 100


class TokenScope(StrEnum):
    """What a token is for; `models/orgs/scope.py` says what each allows."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class TokenNotFound(NotFound):
    """You have no such token."""


class TooManyTokens(Conflict):
    """You have too many tokens: delete one that you do not need."""


class TokenMayNot(Forbidden):
    """A personal access token does not allow that."""


async def create_token(
    session: AsyncSession, actor: Actor, *, name: str, scopes: Collection[TokenScope], lifetime: timedelta
) -> tuple[PersonalAccessToken, str]:
    """A new token, shown this once.

    Raises:
        TooManyTokens: they have as many as there may be.
    """
    if len(await queries.access_tokens(session, actor.user_id)) >= MOST:
        raise TooManyTokens()
    secret = PREFIX + secrets.token_urlsafe(32)
    expires_at = clock.now() + min(lifetime, LONGEST)
    own = AuthSession(user_id=actor.user_id, kind="token", ip=origin.current().ip, expires_at=expires_at)
    session.add(own)
    await session.flush()
    token = PersonalAccessToken(
        id=own.id,
        user_id=actor.user_id,
        name=name,
        hash=_digest(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    session.add(token)
    await session.flush()
    act = AccountAct.TOKEN_CREATED
    await audit.record_account(session, actor.user_id, act, token_id=str(token.id), scopes=token.scopes)
    return token, secret


async def tokens(session: AsyncSession, actor: Actor) -> list[PersonalAccessToken]:
    """Somebody's tokens that work, newest first."""
    return await queries.access_tokens(session, actor.user_id)


async def delete_token(session: AsyncSession, actor: Actor, token_id: UUID) -> None:
    """Let a token work no more, nor what was opened with it.

    Raises:
        TokenNotFound: there is none such.
    """
    if await queries.revoke(session, token_id, user_id=actor.user_id, kind="token") is None:
        raise TokenNotFound()
    await audit.record_account(session, actor.user_id, AccountAct.TOKEN_DELETED, token_id=str(token_id))


async def identify_token(session: AsyncSession, secret: str) -> Actor:
    """Who a token speaks for; from here on the session sees what they may see. One round trip.

    Raises:
        SessionOver: it is none of ours, or works no more.
    """
    known = await queries.enter_with_token(session, _digest(secret))
    if known is None:
        raise SessionOver()
    return Actor(known.user_id, known.id, known.name, frozenset(known.org_ids), frozenset(known.scopes))


def confine(actor: Actor, *, changes: bool, account: bool) -> None:
    """Keep a token to what tokens are for. What it may do in an organization its scope decides there.

    Raises:
        TokenMayNot: it would change something and is for reading only, or would touch the account itself.
    """
    if actor.token_scopes is not None and (account or (changes and actor.token_scopes <= {TokenScope.READ})):
        raise TokenMayNot()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
