"""Taking every second factor from an account: what operators do for somebody who lost theirs."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import audit
from models.audit import AccountAct
from models.factors import notices, ways
from models.factors.tables import FactorGuesses, Passkey, PendingSignIn, RecoveryCode, Totp


async def reset(session: AsyncSession, user_id: UUID) -> None:
    """Leave the account with its password and linked identities only; sign-ins under way start again."""
    await ways.lock(session, user_id)
    for table in (Totp, RecoveryCode, Passkey, PendingSignIn, FactorGuesses):
        await session.execute(delete(table).where(col(table.user_id) == user_id))
    await notices.tell(session, user_id, "An operator removed every second factor and passkey")
    await audit.record_account(session, user_id, AccountAct.FACTORS_RESET, by="operator")
