"""Forgetting who never came back from a provider."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.federation.tables import Errand


async def forget(session: AsyncSession, *, before: datetime) -> int:
    """Forget the errands that were over before; how many."""
    gone = await session.execute(
        delete(Errand)
        .where(col(Errand.expires_at) < before)
        .returning(col(Errand.id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
