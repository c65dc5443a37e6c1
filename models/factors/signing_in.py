"""Signing in: a first factor, and a second one where the account has one.

Attempts are counted and committed before a factor is looked at (`attempt`), so that neither a crash
nor many requests at once give more of them.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from infra import clock
from infra.settings import Settings
from infra.tokens import Signer, TokenError
from models import auth
from models.auth import Device, SignIn, User
from models.factors import assertions, proofs, reauthentication, ways
from models.factors.assertions import Assertion, Question
from models.factors.challenges import Binding, Purpose
from models.factors.errors import SignInExpired
from models.factors.proofs import Proof
from models.factors.tables import PendingSignIn
from models.factors.ways import Method

LIFETIME = timedelta(minutes=5)
ATTEMPTS = 5
"""For one sign-in; `proofs` limits them over all of an account."""

_SWEEP = text("""
    DELETE FROM pending_sign_ins WHERE id IN (
        SELECT id FROM pending_sign_ins WHERE expires_at < now() LIMIT 100 FOR UPDATE SKIP LOCKED
    )
""")


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The first factor was right; a second one has to follow with this token."""

    token: str
    methods: list[Method]
    expires_in: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that waits for its second factor, and one try at it."""

    pending_id: UUID
    user_id: UUID
    first: str


async def begin(
    session: AsyncSession,
    user: User,
    device: Device,
    settings: Settings,
    signer: Signer,
    *,
    first: str,
    fresh: bool = False,
) -> SignIn | SecondFactorNeeded:
    """Sign somebody in whose first factor was right, or ask for the second one that the account has.

    `fresh`: a provider has asked them just now who they are; see `reauthentication.note_sign_in`.
    """
    known = await ways.of(session, user.id, settings)
    if not known.second_factors:
        return await _sign_in(session, user, device, settings, method=first, fresh=fresh)
    await auth.settle_password(session, user)
    await session.execute(_SWEEP)
    pending = PendingSignIn(
        user_id=user.id, first=first, basis=_basis(user), fresh=fresh, expires_at=clock.now() + LIFETIME
    )
    session.add(pending)
    await session.flush()
    seconds = int(LIFETIME.total_seconds())
    token = signer.issue("second_factor", sub=str(user.id), seconds=seconds, pid=str(pending.id))
    return SecondFactorNeeded(token, known.second_factors, seconds)


async def ask_passkey(session: AsyncSession, signer: Signer, token: str, settings: Settings) -> Question:
    """What to ask a passkey that is to be the second factor.

    Raises:
        SignInExpired: the token is none, used or over.
    """
    claims = _claims(signer, token)
    pending = await session.get(PendingSignIn, UUID(claims["pid"]))
    if pending is None or pending.attempts >= ATTEMPTS:
        raise SignInExpired()
    return await assertions.ask(session, _binding(pending.user_id, pending.id), settings)


async def attempt(session: AsyncSession, signer: Signer, token: str, proof: Proof) -> Attempt:
    """Count a try. Commit it before `complete`.

    Raises:
        SignInExpired: the token is none, used or over, or has had its tries.
        TooManyGuesses: the account has; passkeys cannot be guessed and are not counted.
    """
    claims = _claims(signer, token)
    count = (
        update(PendingSignIn)
        .where(
            col(PendingSignIn.id) == UUID(claims["pid"]),
            col(PendingSignIn.user_id) == UUID(claims["sub"]),
            col(PendingSignIn.attempts) < ATTEMPTS,
            col(PendingSignIn.expires_at) > func.now(),
        )
        .values(attempts=PendingSignIn.attempts + 1)
        .returning(col(PendingSignIn.first))
    )
    first = (await session.execute(count)).scalar_one_or_none()
    if first is None:
        raise SignInExpired()
    user_id = UUID(claims["sub"])
    if proof.passkey is None:
        await proofs.guess(session, user_id)
    return Attempt(UUID(claims["pid"]), user_id, first)


async def complete(
    session: AsyncSession, tried: Attempt, proof: Proof, device: Device, settings: Settings
) -> SignIn | None:
    """Sign in with a second factor; None where it is wrong, which has to be committed, so it is no exception.

    Raises:
        SignInExpired: it was completed meanwhile, or the password changed.
    """
    # Everybody locks the pending sign-in, the user, their factors, their guesses, in this order.
    pending = await session.get(PendingSignIn, tried.pending_id, with_for_update=True)
    await ways.lock(session, tried.user_id)
    user = await session.get(User, tried.user_id)
    if pending is None or user is None or pending.basis != _basis(user):
        raise SignInExpired()
    method = await proofs.present(session, tried.user_id, proof, _binding(tried.user_id, tried.pending_id), settings)
    if method is None:
        await proofs.refuse(session, tried.user_id, first=tried.first)
        return None
    await session.delete(pending)
    method_of_both = f"{tried.first}+{method}"
    return await _sign_in(session, user, device, settings, method=method_of_both, fresh=pending.fresh)


async def ask_anybody(session: AsyncSession, settings: Settings) -> Question:
    """What to ask a passkey of whoever wants to sign in with nothing else."""
    return await assertions.ask(session, Binding(Purpose.SIGN_IN), settings)


async def with_passkey(session: AsyncSession, answer: Assertion, device: Device, settings: Settings) -> SignIn | None:
    """Sign in with a passkey that verified its user: that is two factors. None where it is wrong; commit that too."""
    passkey = await assertions.accept(session, answer, Binding(Purpose.SIGN_IN), settings)
    user = await session.get(User, passkey.user_id) if passkey else None
    return await auth.sign_in(session, user, device, settings, method=Method.PASSKEY) if user else None


async def _sign_in(
    session: AsyncSession, user: User, device: Device, settings: Settings, *, method: str, fresh: bool
) -> SignIn:
    signed_in = await auth.sign_in(session, user, device, settings, method=method)
    if fresh:
        await reauthentication.note_sign_in(session, user, signed_in.session.id, method=method)
    return signed_in


def _claims(signer: Signer, token: str) -> dict[str, Any]:
    try:
        return signer.verify(token, typ="second_factor")
    except TokenError as error:
        raise SignInExpired() from error


def _basis(user: User) -> bytes:
    return hashlib.sha256((user.password_hash or "").encode()).digest()


def _binding(user_id: UUID, pending_id: UUID) -> Binding:
    return Binding(Purpose.SECOND_FACTOR, user_id, pending_id)
