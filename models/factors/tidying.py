"""Forgetting challenges nobody answered and sign-ins nobody went on with."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.factors.tables import PasskeyChallenge, PendingSignIn


async def forget(session: AsyncSession, *, before: datetime) -> int:
    """Forget what was over before; how many."""
    forgotten = 0
    for table in (PasskeyChallenge, PendingSignIn):
        gone = await session.execute(
            delete(table)
            .where(col(table.expires_at) < before)
            .returning(col(table.id))
            .execution_options(synchronize_session=False)
        )
        forgotten += len(gone.all())
    return forgotten
