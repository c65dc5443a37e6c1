"""Using passkeys: what to ask an authenticator, and what its answer proves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from webauthn.helpers import base64url_to_bytes

from infra import clock
from infra.logging import get_logger
from infra.settings import Settings
from models import audit
from models.audit import AccountAct
from models.factors import ceremonies, challenges, ways
from models.factors.ceremonies import Credential, Refused
from models.factors.challenges import Binding, Purpose
from models.factors.tables import Passkey

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Assertion:
    """An authenticator's answer to a challenge."""

    challenge_id: UUID
    credential: Credential


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask an authenticator, as browsers take it, and the id to answer with."""

    challenge_id: UUID
    options: dict[str, Any]


async def ask(session: AsyncSession, binding: Binding, settings: Settings) -> Question:
    """What to ask for a purpose: one of the user's passkeys, or any where nobody knows yet who it will be."""
    asked = await challenges.ask(session, binding)
    own = await mine(session, binding.user_id) if binding.user_id else []
    verified = binding.purpose is not Purpose.SECOND_FACTOR
    return Question(asked.id, ceremonies.request(settings, asked.challenge, verified=verified, known=known(own)))


async def accept(session: AsyncSession, answer: Assertion, binding: Binding, settings: Settings) -> Passkey | None:
    """The passkey that answered, or None; the challenge is used up either way, once this is committed.

    Only as a second factor after a password it need not have verified its user.
    """
    challenge = await challenges.take(session, answer.challenge_id, binding)
    passkey = await _presented(session, answer.credential) if challenge is not None else None
    if challenge is None or passkey is None or binding.user_id not in {None, passkey.user_id}:
        return None
    try:
        _check_handle(answer.credential, passkey, demanded=binding.user_id is None)
        verified = binding.purpose is not Purpose.SECOND_FACTOR
        used = ceremonies.use(settings, answer.credential, challenge, public_key=passkey.public_key, verified=verified)
        # Both 0: an authenticator that does not count, such as those that sync.
        if used.sign_count <= passkey.sign_count and (used.sign_count or passkey.sign_count):
            raise Refused(f"the sign count went from {passkey.sign_count} to {used.sign_count}: there is a copy")
    except Refused as error:
        log.warning("passkey refused", passkey_id=str(passkey.id), user_id=str(passkey.user_id), reason=str(error))
        await audit.record_account(
            session, passkey.user_id, AccountAct.PASSKEY_REFUSED, passkey_id=str(passkey.id), reason=str(error)[:200]
        )
        return None
    passkey.sign_count, passkey.backed_up, passkey.last_used_at = used.sign_count, used.backed_up, clock.now()
    await session.flush()
    return passkey


async def mine(session: AsyncSession, user_id: UUID) -> list[Passkey]:
    """Somebody's passkeys, oldest first."""
    query = select(Passkey).where(Passkey.user_id == user_id).order_by(col(Passkey.id))
    return list(await session.scalars(query))


def known(passkeys: Sequence[Passkey]) -> list[ceremonies.Known]:
    """Their ids and transports, as options name them."""
    return [(passkey.credential_id, passkey.transports) for passkey in passkeys]


async def _presented(session: AsyncSession, credential: Credential) -> Passkey | None:
    try:
        credential_id = base64url_to_bytes(credential["id"])
    except ValueError:
        return None
    query = select(Passkey).where(Passkey.credential_id == credential_id)
    known: Passkey | None = (await session.execute(query)).scalar_one_or_none()
    if known is None:
        return None
    # The user before the passkey, as everybody does who changes either.
    await ways.lock(session, known.user_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(query)).scalar_one_or_none()


def _check_handle(credential: Credential, passkey: Passkey, *, demanded: bool) -> None:
    """A discoverable credential names its user: that has to be the one we know it of."""
    handle = credential["response"].get("userHandle")
    if handle is None and not demanded:
        return
    if handle is None or base64url_to_bytes(handle) != passkey.user_id.bytes:
        raise Refused("the passkey names another user")
