"""Mails to somebody about what changed in how they sign in."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models import mail
from models.auth import User


async def tell(session: AsyncSession, user_id: UUID, change: str) -> None:
    """Tell them, in a few words that begin with a capital and end without a full stop."""
    user = await session.get_one(User, user_id)
    await mail.send(session, to=user.email, template="sign_in_changed", name=user.name, change=change)
