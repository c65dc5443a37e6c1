"""Authenticator apps: RFC 6238, 6 digits of SHA-1 every 30 seconds, what every app can do."""

import hmac
from dataclasses import dataclass
from uuid import UUID

import pyotp
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from infra import clock, sealing
from infra.settings import Settings
from models import audit, auth
from models.audit import AccountAct
from models.auth import Actor
from models.factors import notices, reauthentication, recovery, ways
from models.factors.errors import TotpActive, TotpMissing, WrongCode
from models.factors.tables import Totp

STEP_SECONDS = 30
DRIFT = 1
"""Steps a device's clock may be off, in either direction."""

_PURPOSE = "totp"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app has to be given: base32, or the same as `otpauth://` for a QR code."""

    secret: str
    uri: str


async def enrol(session: AsyncSession, actor: Actor, settings: Settings) -> Enrolment:
    """Make a secret for an app; it counts once `confirm` has seen a code. An unconfirmed one is replaced.

    Raises:
        ReauthenticationNeeded: the session has not proved lately whose it is.
        TotpActive: there is an app already.
    """
    await reauthentication.demand(session, actor)
    await ways.lock(session, actor.user_id)
    known = await _locked(session, actor.user_id)
    if known is not None and known.confirmed_at is not None:
        raise TotpActive()
    if known is not None:
        await session.delete(known)
        await session.flush()
    secret, row_id = pyotp.random_base32(), clock.new_id()
    sealed = sealing.seal(settings, _PURPOSE, secret.encode(), place=row_id.bytes)
    session.add(Totp(id=row_id, user_id=actor.user_id, secret=sealed))
    await session.flush()
    account = await auth.account(session, actor)
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name="Doxie"))


async def confirm(session: AsyncSession, actor: Actor, code: str, settings: Settings) -> list[str] | None:
    """From here on the app is asked for; new recovery codes where this is the first second factor.

    Raises:
        TotpMissing: nothing waits to be confirmed.
        WrongCode: the app does not have the secret, or a wrong clock.
    """
    await ways.lock(session, actor.user_id)
    row = await _locked(session, actor.user_id)
    if row is None or row.confirmed_at is not None:
        raise TotpMissing()
    before = await ways.of(session, actor.user_id, settings)
    if not _spend(row, code, settings):
        raise WrongCode()
    row.confirmed_at = clock.now()
    await session.flush()
    codes = await recovery.issue(session, actor.user_id, settings) if not before.second_factors else None
    await notices.tell(session, actor.user_id, "An authenticator app was set up")
    await audit.record_account(session, actor.user_id, AccountAct.TOTP_ENABLED)
    return codes


async def disable(session: AsyncSession, actor: Actor, settings: Settings) -> None:
    """Ask for the app no more. Recovery codes go with the last second factor.

    Raises:
        ReauthenticationNeeded: the session has not proved lately whose it is.
        TotpMissing: there is none.
    """
    await reauthentication.demand(session, actor)
    await ways.lock(session, actor.user_id)
    row = await _locked(session, actor.user_id)
    if row is None or row.confirmed_at is None:
        raise TotpMissing()
    await session.delete(row)
    await session.flush()
    await recovery.drop_if_alone(session, actor.user_id, settings)
    await notices.tell(session, actor.user_id, "The authenticator app was removed")
    await audit.record_account(session, actor.user_id, AccountAct.TOTP_DISABLED)


async def accept(session: AsyncSession, user_id: UUID, code: str, settings: Settings) -> bool:
    """Whether the app shows this code now. A code is accepted once: of two who present it, one waits and is refused."""
    row = await _locked(session, user_id)
    return row is not None and row.confirmed_at is not None and _spend(row, code, settings)


def _spend(row: Totp, code: str, settings: Settings) -> bool:
    otp = pyotp.TOTP(sealing.unseal(settings, _PURPOSE, row.secret, place=row.id.bytes).decode())
    now = int(clock.now().timestamp()) // STEP_SECONDS
    given = code.replace(" ", "").encode()
    # Every step is compared, whichever fits: the time it takes tells nothing.
    steps = range(now - DRIFT, now + DRIFT + 1)
    fitting = [step for step in steps if hmac.compare_digest(otp.generate_otp(step).encode(), given)]
    fresh = [step for step in fitting if step > row.last_step]
    if not fresh:
        return False
    row.last_step = max(fresh)
    return True


async def _locked(session: AsyncSession, user_id: UUID) -> Totp | None:
    query = select(Totp).where(Totp.user_id == user_id).with_for_update()
    return (await session.execute(query)).scalar_one_or_none()
