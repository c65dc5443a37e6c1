"""What counts as proof that it is still the same person: a passkey, or the password and a second factor."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from infra.settings import Settings
from models.auth import Actor
from models.factors import assertions, proofs, reauthentication, ways
from models.factors.assertions import Question
from models.factors.challenges import Binding, Purpose
from models.factors.errors import ReauthenticationNeeded, WrongFactor
from models.factors.proofs import Proof


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try at proving it; where `proof` is empty, the password is all that the account has."""

    actor: Actor
    proof: Proof


async def ask(session: AsyncSession, actor: Actor, settings: Settings) -> Question:
    """What to ask one of their passkeys."""
    return await assertions.ask(session, _binding(actor), settings)


async def attempt(session: AsyncSession, actor: Actor, proof: Proof, settings: Settings) -> Attempt:
    """Count the try; commit it before the password is verified and `complete` called.

    Raises:
        ReauthenticationNeeded: tokens for scripts cannot prove anything.
        WrongFactor: the account has a second factor, and none was given.
        TooManyGuesses: too many codes were tried.
    """
    if actor.session_id is None:
        raise ReauthenticationNeeded()
    if proof == Proof():
        if (await ways.of(session, actor.user_id, settings)).second_factors:
            raise WrongFactor()
    elif proof.passkey is None:
        await proofs.guess(session, actor.user_id)
    return Attempt(actor, proof)


async def complete(session: AsyncSession, tried: Attempt, settings: Settings) -> bool:
    """Whether it is proved; the session remembers. Commit it either way."""
    actor, proof = tried.actor, tried.proof
    if proof == Proof():
        method: str | None = "password"
    else:
        method = await proofs.present(session, actor.user_id, proof, _binding(actor), settings)
    if method is None or actor.session_id is None:
        await proofs.refuse(session, actor.user_id, first="reauthentication")
        return False
    await reauthentication.note(session, actor.user_id, actor.session_id, method=method)
    return True


def _binding(actor: Actor) -> Binding:
    return Binding(Purpose.REAUTHENTICATE, actor.user_id, actor.session_id)
