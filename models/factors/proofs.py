"""Second factors as they are presented: counted before they are looked at, used up by being right."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from infra.settings import Settings
from models import audit
from models.audit import AccountAct
from models.factors import assertions, notices, recovery, totp, ways
from models.factors.assertions import Assertion
from models.factors.challenges import Binding
from models.factors.errors import TooManyGuesses
from models.factors.tables import FactorGuesses
from models.factors.ways import Method

MOST = 10
WINDOW = timedelta(hours=1)
"""So many codes may be tried for one account in so long, however many sign-ins somebody who knows the password
begins: of a million codes three fit at a time, so a day of guessing succeeds once in 1 400. Passkeys go on working."""

_GUESS = text("""
    INSERT INTO factor_guesses AS known (user_id, guesses, since) VALUES (:user_id, 1, now())
    ON CONFLICT (user_id) DO UPDATE SET
        guesses = CASE WHEN known.since < now() - :window THEN 1 ELSE known.guesses + 1 END,
        since = CASE WHEN known.since < now() - :window THEN now() ELSE known.since END
    RETURNING guesses
""").bindparams(bindparam("user_id", type_=Uuid))


@dataclass(frozen=True, slots=True)
class Proof:
    """A second factor; one of them is given."""

    totp: str | None = None
    recovery_code: str | None = None
    passkey: Assertion | None = None


async def guess(session: AsyncSession, user_id: UUID) -> None:
    """Count a code that is tried for somebody.

    Raises:
        TooManyGuesses: there were too many lately.
    """
    guesses = await session.scalar(_GUESS, {"user_id": user_id, "window": WINDOW})
    if guesses is None or guesses > MOST:
        raise TooManyGuesses(WINDOW.total_seconds())
    if guesses == MOST:
        await notices.tell(session, user_id, "Many codes were tried by somebody who knows your password")


async def present(
    session: AsyncSession, user_id: UUID, proof: Proof, binding: Binding, settings: Settings
) -> Method | None:
    """What the proof is, if it holds: codes are used up by it. None has to be committed too."""
    await ways.lock(session, user_id)
    if proof.totp is not None:
        method = Method.TOTP if await totp.accept(session, user_id, proof.totp, settings) else None
    elif proof.recovery_code is not None:
        method = (
            Method.RECOVERY_CODE if await recovery.accept(session, user_id, proof.recovery_code, settings) else None
        )
    elif proof.passkey is not None:
        method = Method.PASSKEY if await assertions.accept(session, proof.passkey, binding, settings) else None
    else:
        method = None
    if method is not None:
        await session.execute(delete(FactorGuesses).where(col(FactorGuesses.user_id) == user_id))
    if method is Method.RECOVERY_CODE:
        left = (await ways.of(session, user_id, settings)).recovery_codes
        await notices.tell(session, user_id, f"A recovery code was used, {left} are left")
        await audit.record_account(session, user_id, AccountAct.RECOVERY_CODE_USED, left=left)
    return method


async def refuse(session: AsyncSession, user_id: UUID, *, first: str) -> None:
    """Note that a second factor was wrong; to be committed."""
    await audit.record_account(session, user_id, AccountAct.SECOND_FACTOR_REFUSED, first=first)
