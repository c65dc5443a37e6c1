"""Forgetting what is over: sessions with their refresh tokens, and links nobody followed."""

from datetime import datetime

from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.auth.tables import AuthSession, MailLink


async def forget(session: AsyncSession, *, before: datetime) -> tuple[int, int]:
    """Forget sessions and links that were over before; how many of each.

    A used refresh token is kept as long as its session, since its replay has to be recognized.
    """
    ended = func.coalesce(col(AuthSession.revoked_at), col(AuthSession.expires_at))
    sessions = await session.execute(
        delete(AuthSession)
        .where(ended < before)
        .returning(col(AuthSession.id))
        .execution_options(synchronize_session=False)
    )
    links = await session.execute(
        delete(MailLink)
        .where(col(MailLink.expires_at) < before)
        .returning(col(MailLink.hash))
        .execution_options(synchronize_session=False)
    )
    return len(sessions.all()), len(links.all())
