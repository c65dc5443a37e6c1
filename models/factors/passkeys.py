"""Passkeys: registering, naming and removing them; `assertions` is using them."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select
from webauthn.helpers.structs import AuthenticatorTransport

from infra.logging import get_logger
from infra.settings import Settings
from models import audit, auth
from models.audit import AccountAct
from models.auth import Actor
from models.factors import assertions, ceremonies, challenges, notices, reauthentication, recovery, ways
from models.factors.assertions import Assertion, Question
from models.factors.ceremonies import Credential, Refused
from models.factors.challenges import Binding, Purpose
from models.factors.errors import PasskeyInvalid, PasskeyKnown, PasskeyMissing, TooManyPasskeys
from models.factors.tables import Passkey

log = get_logger(__name__)

MOST = 25
_TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)


async def ask_to_register(session: AsyncSession, actor: Actor, settings: Settings) -> Question:
    """What to ask an authenticator that is to make a passkey for this account.

    Raises:
        ReauthenticationNeeded: the session has not proved lately whose it is.
        TooManyPasskeys: there are enough.
    """
    await reauthentication.demand(session, actor)
    account = await auth.account(session, actor)
    known = await assertions.mine(session, actor.user_id)
    if len(known) >= MOST:
        raise TooManyPasskeys()
    asked = await challenges.ask(session, Binding(Purpose.REGISTER, actor.user_id, actor.session_id))
    options = ceremonies.registration(
        settings,
        asked.challenge,
        handle=actor.user_id.bytes,
        email=account.email,
        name=account.name,
        known=assertions.known(known),
    )
    return Question(asked.id, options)


async def register(
    session: AsyncSession, actor: Actor, answer: Assertion, *, name: str, settings: Settings
) -> tuple[Passkey, list[str] | None]:
    """The new passkey; and recovery codes where it is the first second factor.

    Raises:
        PasskeyInvalid: the answer does not hold. The challenge stays: whoever has the session may ask for another.
        PasskeyKnown: it is registered already, whosever it is.
        TooManyPasskeys: there are enough.
    """
    binding = Binding(Purpose.REGISTER, actor.user_id, actor.session_id)
    challenge = await challenges.take(session, answer.challenge_id, binding)
    if challenge is None:
        raise PasskeyInvalid()
    try:
        made = ceremonies.register(settings, answer.credential, challenge)
    except Refused as error:
        log.warning("passkey refused", user_id=str(actor.user_id), reason=str(error))
        raise PasskeyInvalid() from error
    await ways.lock(session, actor.user_id)
    before = await ways.of(session, actor.user_id, settings)
    if before.passkeys >= MOST:
        raise TooManyPasskeys()
    if await session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)) is not None:
        raise PasskeyKnown()
    passkey = Passkey(
        user_id=actor.user_id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        aaguid=made.aaguid,
        backed_up=made.backed_up,
        transports=_transports(answer.credential),
        name=name,
    )
    session.add(passkey)
    await session.flush()
    codes = await recovery.issue(session, actor.user_id, settings) if not before.second_factors else None
    await notices.tell(session, actor.user_id, f"The passkey “{name}” was added")
    await audit.record_account(session, actor.user_id, AccountAct.PASSKEY_ADDED, passkey_id=str(passkey.id), name=name)
    return passkey, codes


async def mine(session: AsyncSession, actor: Actor) -> list[Passkey]:
    """One's own, oldest first."""
    return await assertions.mine(session, actor.user_id)


async def rename(session: AsyncSession, actor: Actor, passkey_id: UUID, *, name: str) -> Passkey:
    """Call one of one's own passkeys something else.

    Raises:
        PasskeyMissing: there is none such.
    """
    passkey = await _own(session, actor, passkey_id)
    passkey.name = name
    await session.flush()
    await audit.record_account(
        session, actor.user_id, AccountAct.PASSKEY_RENAMED, passkey_id=str(passkey_id), name=name
    )
    return passkey


async def remove(session: AsyncSession, actor: Actor, passkey_id: UUID, settings: Settings) -> None:
    """Forget one of one's own passkeys. Recovery codes go with the last second factor.

    Raises:
        ReauthenticationNeeded: the session has not proved lately whose it is.
        PasskeyMissing: there is none such.
        LastWay: there is no other way to sign in.
    """
    await reauthentication.demand(session, actor)
    await ways.lock(session, actor.user_id)
    passkey = await _own(session, actor, passkey_id)
    await ways.give_up_one(session, actor.user_id, settings)
    await session.delete(passkey)
    await session.flush()
    await recovery.drop_if_alone(session, actor.user_id, settings)
    await notices.tell(session, actor.user_id, f"The passkey “{passkey.name}” was removed")
    await audit.record_account(
        session, actor.user_id, AccountAct.PASSKEY_REMOVED, passkey_id=str(passkey_id), name=passkey.name
    )


async def _own(session: AsyncSession, actor: Actor, passkey_id: UUID) -> Passkey:
    query = select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == actor.user_id).with_for_update()
    passkey: Passkey | None = (await session.execute(query)).scalar_one_or_none()
    if passkey is None:
        raise PasskeyMissing()
    return passkey


def _transports(credential: Credential) -> list[str]:
    named = credential["response"].get("transports") or []
    return sorted(_TRANSPORTS.intersection(named))
