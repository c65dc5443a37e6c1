"""The SQL of accounts and sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Row, Text, Uuid, bindparam, func, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from models.auth.tables import AuthSession, RefreshToken, User

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


async def live_sessions(session: AsyncSession, user_id: UUID) -> list[AuthSession]:
    """Somebody's sessions, newest first."""
    query = (
        select(AuthSession)
        .where(
            AuthSession.user_id == user_id,
            col(AuthSession.revoked_at).is_(None),
            col(AuthSession.expires_at) > func.now(),
        )
        .order_by(col(AuthSession.id).desc())
    )
    return list(await session.scalars(query))


async def refresh_token(session: AsyncSession, digest: bytes) -> RefreshToken | None:
    """A refresh token by its hash, locked: of two who present it, one waits."""
    query = select(RefreshToken).where(RefreshToken.hash == digest).with_for_update()
    return (await session.execute(query)).scalar_one_or_none()


async def revoke(session: AsyncSession, session_id: UUID, *, user_id: UUID | None = None) -> bool:
    """End a session; whether there was one to end."""
    query = (
        update(AuthSession)
        .where(col(AuthSession.id) == session_id, col(AuthSession.revoked_at).is_(None))
        .values(revoked_at=func.now())
        .returning(col(AuthSession.id))
    )
    if user_id is not None:
        query = query.where(col(AuthSession.user_id) == user_id)
    return (await session.execute(query)).first() is not None


async def touch(session: AsyncSession, session_id: UUID) -> None:
    """Note that a session was used."""
    await session.execute(update(AuthSession).where(col(AuthSession.id) == session_id).values(last_used_at=func.now()))


async def enter(
    session: AsyncSession, *, user_id: UUID, session_id: UUID
) -> Row[tuple[str, datetime | None, list[UUID]]] | None:
    """Name, validity and organizations of a user whose session is live; opens those to this transaction."""
    return (await session.execute(_ENTER, {"user_id": user_id, "session_id": session_id})).one_or_none()
