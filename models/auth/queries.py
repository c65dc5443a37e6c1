"""The SQL of accounts and sessions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, LargeBinary, Row, Text, Uuid, any_, bindparam, delete, func, text, update
from sqlalchemy import select as columns
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from infra.direct import Executes
from models.auth.tables import AuthSession, MailLink, PersonalAccessToken, RefreshToken, User

# As text, since `auth` knows nothing of `orgs`, which builds on it.
_ENTER = (
    text("""
        SELECT users.name, users.tokens_valid_from, mine.org_ids,
            set_config('app.org_ids', CAST(mine.org_ids AS text), true)
        FROM auth_sessions
        JOIN users ON users.id = auth_sessions.user_id
        CROSS JOIN LATERAL (
            SELECT COALESCE(array_agg(memberships.org_id), '{}') AS org_ids
            FROM memberships JOIN organizations ON organizations.id = memberships.org_id
            WHERE memberships.user_id = users.id AND memberships.suspended_at IS NULL
                AND organizations.suspended_at IS NULL AND organizations.deleted_at IS NULL
        ) AS mine
        WHERE auth_sessions.id = :session_id AND users.id = :user_id
            AND auth_sessions.revoked_at IS NULL AND auth_sessions.expires_at > now()
    """)
    .bindparams(bindparam("session_id", type_=Uuid), bindparam("user_id", type_=Uuid))
    .columns(name=Text, tokens_valid_from=DateTime(timezone=True), org_ids=ARRAY(Uuid))
)

_LIVE_AMONG = columns(col(AuthSession.id), col(AuthSession.user_id)).where(
    col(AuthSession.id) == any_(bindparam("ids", type_=ARRAY(Uuid))),
    col(AuthSession.revoked_at).is_(None),
    col(AuthSession.expires_at) > func.now(),
)

# Who comes with a token is known by it alone, so that it says whose rows may be seen before it looks for them. A
# use is noted once a minute; whoever finds another request noting it does not wait.
_ENTER_WITH_TOKEN = (
    text("""
        WITH token AS MATERIALIZED (
            SELECT tokens.id, tokens.user_id, tokens.scopes, users.name,
                set_config('app.user_id', CAST(tokens.user_id AS text), true) AS scoped
            FROM personal_access_tokens AS tokens
            JOIN auth_sessions ON auth_sessions.id = tokens.id
            JOIN users ON users.id = tokens.user_id
            WHERE tokens.hash = :hash AND auth_sessions.revoked_at IS NULL AND auth_sessions.expires_at > now()
        ), due AS MATERIALIZED (
            SELECT tokens.id FROM personal_access_tokens AS tokens JOIN token USING (id)
            WHERE tokens.last_used_at IS NULL OR tokens.last_used_at < now() - interval '1 minute'
            FOR UPDATE OF tokens SKIP LOCKED
        ), noted AS (
            UPDATE personal_access_tokens SET last_used_at = now() FROM due WHERE due.id = personal_access_tokens.id
        )
        SELECT token.id, token.user_id, token.scopes, token.name, mine.org_ids,
            set_config('app.org_ids', CAST(mine.org_ids AS text), true)
        FROM token CROSS JOIN LATERAL (
            SELECT COALESCE(array_agg(memberships.org_id), '{}') AS org_ids
            FROM memberships JOIN organizations ON organizations.id = memberships.org_id
            WHERE memberships.user_id = token.user_id AND token.scoped IS NOT NULL
                AND memberships.suspended_at IS NULL
                AND organizations.suspended_at IS NULL AND organizations.deleted_at IS NULL
        ) AS mine
    """)
    .bindparams(bindparam("hash", type_=LargeBinary))
    .columns(id=Uuid, user_id=Uuid, scopes=ARRAY(Text), name=Text, org_ids=ARRAY(Uuid))
)


async def user_by_email(session: AsyncSession, email: str) -> User | None:
    """The account of an address, whatever its capitals."""
    query = select(User).where(func.lower(User.email) == email.lower())
    return (await session.execute(query)).scalar_one_or_none()


async def live_session(session: AsyncSession, session_id: UUID) -> Row[tuple[User, AuthSession]] | None:
    """A session that is neither over nor revoked, and whose it is."""
    query = (
        select(User, AuthSession)
        .join(AuthSession, col(AuthSession.user_id) == User.id)
        .where(
            AuthSession.id == session_id,
            col(AuthSession.revoked_at).is_(None),
            col(AuthSession.expires_at) > func.now(),
        )
    )
    return (await session.execute(query)).one_or_none()


async def live_among(session: Executes, session_ids: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    """Of many sessions those that are live, each with whose it is."""
    return {(row.id, row.user_id) for row in await session.execute(_LIVE_AMONG, {"ids": list(session_ids)})}


async def live_sessions(session: AsyncSession, user_id: UUID) -> list[AuthSession]:
    """Somebody's sessions, newest first."""
    query = (
        select(AuthSession)
        .where(
            AuthSession.user_id == user_id,
            AuthSession.kind == "browser",
            col(AuthSession.revoked_at).is_(None),
            col(AuthSession.expires_at) > func.now(),
        )
        .order_by(col(AuthSession.id).desc())
    )
    return list(await session.scalars(query))


async def access_tokens(session: AsyncSession, user_id: UUID) -> list[PersonalAccessToken]:
    """Somebody's tokens that work, newest first."""
    query = (
        select(PersonalAccessToken)
        .join(AuthSession, col(AuthSession.id) == PersonalAccessToken.id)
        .where(
            PersonalAccessToken.user_id == user_id,
            col(AuthSession.revoked_at).is_(None),
            col(AuthSession.expires_at) > func.now(),
        )
        .order_by(col(PersonalAccessToken.id).desc())
    )
    return list(await session.scalars(query))


async def refresh_token(session: AsyncSession, digest: bytes) -> RefreshToken | None:
    """A refresh token by its hash, locked: of two who present it, one waits."""
    query = select(RefreshToken).where(RefreshToken.hash == digest).with_for_update()
    return (await session.execute(query)).scalar_one_or_none()


async def revoke(
    session: AsyncSession, session_id: UUID, *, user_id: UUID | None = None, kind: str = "browser"
) -> UUID | None:
    """End a session; whose it was, None where there was none to end."""
    query = (
        update(AuthSession)
        .where(
            col(AuthSession.id) == session_id,
            col(AuthSession.kind) == kind,
            col(AuthSession.revoked_at).is_(None),
        )
        .values(revoked_at=func.now())
        .returning(col(AuthSession.user_id))
    )
    if user_id is not None:
        query = query.where(col(AuthSession.user_id) == user_id)
    return (await session.execute(query)).scalar_one_or_none()


async def revoke_all(
    session: AsyncSession, user_id: UUID, *, but: UUID | None = None, tokens: bool = False
) -> list[UUID]:
    """End all sessions of somebody, or all but one; which they were. Tokens go on, unless they are meant as well."""
    query = (
        update(AuthSession)
        .where(
            col(AuthSession.user_id) == user_id,
            col(AuthSession.kind).in_(("browser", "token") if tokens else ("browser",)),
            col(AuthSession.revoked_at).is_(None),
        )
        .values(revoked_at=func.now())
        .returning(col(AuthSession.id))
    )
    if but is not None:
        query = query.where(col(AuthSession.id) != but)
    return list(await session.scalars(query))


async def tidy_sessions(session: AsyncSession, user_id: UUID, *, most: int, forgotten: timedelta) -> list[UUID]:
    """End the sessions of somebody that are too many, and forget those that ended long ago; which ended.

    What another sign-in of the same account is about to end is left to it: waiting for each other, fifty at once would
    hold every connection.
    """
    live = col(AuthSession.revoked_at).is_(None) & (col(AuthSession.expires_at) > func.now())
    beyond = (
        select(AuthSession.id)
        .where(AuthSession.user_id == user_id, AuthSession.kind == "browser", live)
        .order_by(col(AuthSession.last_used_at).desc(), col(AuthSession.id).desc())
        .offset(most)
    )
    too_many = select(AuthSession.id).where(col(AuthSession.id).in_(beyond)).with_for_update(skip_locked=True)
    displaced = await session.scalars(
        update(AuthSession)
        .where(col(AuthSession.id).in_(too_many))
        .values(revoked_at=func.now())
        .returning(col(AuthSession.id))
        .execution_options(synchronize_session=False)
    )
    ended = func.coalesce(AuthSession.revoked_at, AuthSession.expires_at)
    old = (
        select(AuthSession.id)
        .where(AuthSession.user_id == user_id, ended < clock.now() - forgotten)
        .with_for_update(skip_locked=True)
    )
    await session.execute(
        delete(AuthSession).where(col(AuthSession.id).in_(old)).execution_options(synchronize_session=False)
    )
    return list(displaced)


async def end_tokens(session: AsyncSession, user_id: UUID) -> None:
    """Let no token that was issued to somebody so far be accepted any more."""
    await session.execute(update(User).where(col(User.id) == user_id).values(tokens_valid_from=clock.now()))


async def keep_account(session: AsyncSession, user_id: UUID) -> None:
    """Let an account be erased no more."""
    await session.execute(
        update(User)
        .where(col(User.id) == user_id)
        .values(deletion_due_at=None)
        .execution_options(synchronize_session=False)
    )


async def locked_hash(session: AsyncSession, user_id: UUID) -> str | None:
    """The hash of somebody's password, which nobody changes until this transaction ends."""
    query = select(User.password_hash).where(col(User.id) == user_id).with_for_update(read=True)
    return (await session.execute(query)).scalar_one_or_none()


async def store_hash(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    """Store another hash."""
    query = update(User).where(col(User.id) == user_id).values(password_hash=password_hash)
    await session.execute(query.execution_options(synchronize_session=False))


async def mail_link(session: AsyncSession, digest: bytes, purpose: str) -> MailLink | None:
    """A link that still works."""
    query = select(MailLink).where(
        MailLink.hash == digest, MailLink.purpose == purpose, col(MailLink.expires_at) > func.now()
    )
    return (await session.scalars(query)).one_or_none()


async def redeem(session: AsyncSession, digest: bytes, purpose: str) -> MailLink | None:
    """Take a link that still works; nobody can take it again."""
    query = (
        delete(MailLink)
        .where(col(MailLink.hash) == digest, col(MailLink.purpose) == purpose, col(MailLink.expires_at) > func.now())
        .returning(MailLink)
        .execution_options(synchronize_session=False)
    )
    return (await session.scalars(query)).one_or_none()


async def drop_links(session: AsyncSession, user_id: UUID, *purposes: str) -> None:
    """Let the links of somebody work no more: those for some purposes, or all."""
    query = delete(MailLink).where(col(MailLink.user_id) == user_id)
    if purposes:
        query = query.where(col(MailLink.purpose).in_(purposes))
    await session.execute(query.execution_options(synchronize_session=False))


async def enter(
    session: AsyncSession, *, user_id: UUID, session_id: UUID
) -> Row[tuple[str, datetime | None, list[UUID]]] | None:
    """Name, validity and organizations of a user whose session is live; opens those to this transaction."""
    return (await session.execute(_ENTER, {"user_id": user_id, "session_id": session_id})).one_or_none()


async def enter_with_token(session: AsyncSession, digest: bytes) -> Row[tuple[UUID, UUID, list[str], str]] | None:
    """Id, owner, scopes, name and organizations of a token that works; opens those to this transaction."""
    return (await session.execute(_ENTER_WITH_TOKEN, {"hash": digest})).one_or_none()
