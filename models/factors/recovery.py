"""Recovery codes: ten of 80 random bits, each good once in the place of a second factor.

They are stored as HMACs under the deployment's key. A code cannot be guessed from its hash (2⁸⁰), so
Argon2 would buy nothing, and ten hashes to compare with would cost half a second of the login pool.
"""

import base64
import hashlib
import hmac
import secrets
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from infra.settings import Settings
from models import audit
from models.audit import AccountAct
from models.auth import Actor
from models.factors import notices, reauthentication, ways
from models.factors.errors import NoSecondFactor
from models.factors.tables import RecoveryCode

COUNT = 10
_BYTES = 10


async def issue(session: AsyncSession, user_id: UUID, settings: Settings) -> list[str]:
    """Ten new codes in place of all former ones; nobody can read them again."""
    await session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    codes = [_code() for _ in range(COUNT)]
    session.add_all(RecoveryCode(user_id=user_id, digest=_digest(user_id, code, settings)) for code in codes)
    await session.flush()
    return codes


async def regenerate(session: AsyncSession, actor: Actor, settings: Settings) -> list[str]:
    """The same, by wish.

    Raises:
        ReauthenticationNeeded: the session has not proved lately whose it is.
        NoSecondFactor: there is nothing they could stand in for.
    """
    await reauthentication.demand(session, actor)
    await ways.lock(session, actor.user_id)
    if not (await ways.of(session, actor.user_id, settings)).second_factors:
        raise NoSecondFactor()
    codes = await issue(session, actor.user_id, settings)
    await notices.tell(session, actor.user_id, "New recovery codes were made, and the former ones are void")
    await audit.record_account(session, actor.user_id, AccountAct.RECOVERY_CODES_ISSUED)
    return codes


async def accept(session: AsyncSession, user_id: UUID, code: str, settings: Settings) -> bool:
    """Whether this is an unused code of theirs; it is used up then. Of two who present it, one succeeds."""
    spend = (
        update(RecoveryCode)
        .where(
            col(RecoveryCode.user_id) == user_id,
            col(RecoveryCode.digest) == _digest(user_id, code, settings),
            col(RecoveryCode.used_at).is_(None),
        )
        .values(used_at=func.now())
        .returning(col(RecoveryCode.id))
    )
    return (await session.execute(spend)).first() is not None


async def drop_if_alone(session: AsyncSession, user_id: UUID, settings: Settings) -> None:
    """Delete the codes where no second factor is left that they could stand in for."""
    if not (await ways.of(session, user_id, settings)).second_factors:
        await session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))


def _code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _digest(user_id: UUID, code: str, settings: Settings) -> bytes:
    letters = "".join(filter(str.isalnum, code)).lower()
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, b"recovery-code:" + user_id.bytes + letters.encode(), hashlib.sha256).digest()
