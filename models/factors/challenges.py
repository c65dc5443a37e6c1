"""What authenticators are asked to sign: kept in Postgres, answered once, for five minutes."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from infra import clock
from models.factors.tables import PasskeyChallenge

LIFETIME = timedelta(minutes=5)


class Purpose(StrEnum):
    """What the answer is good for, and nothing else."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    REAUTHENTICATE = "reauthenticate"


@dataclass(frozen=True, slots=True)
class Binding:
    """Who may answer: for a purpose, a user, and the session or pending sign-in it was made for."""

    purpose: Purpose
    user_id: UUID | None = None
    bound_to: UUID | None = None


_SWEEP = text("""
    DELETE FROM passkey_challenges WHERE id IN (
        SELECT id FROM passkey_challenges WHERE expires_at < now() LIMIT 100 FOR UPDATE SKIP LOCKED
    ) OR (purpose = :purpose AND bound_to = :bound_to)
""").bindparams(bindparam("bound_to", type_=Uuid))


async def ask(session: AsyncSession, binding: Binding) -> PasskeyChallenge:
    """A new challenge, in place of one that was asked for the same before."""
    await session.execute(_SWEEP, {"purpose": binding.purpose, "bound_to": binding.bound_to})
    asked = PasskeyChallenge(
        purpose=binding.purpose,
        challenge=secrets.token_bytes(32),
        user_id=binding.user_id,
        bound_to=binding.bound_to,
        expires_at=clock.now() + LIFETIME,
    )
    session.add(asked)
    await session.flush()
    return asked


async def take(session: AsyncSession, challenge_id: UUID, binding: Binding) -> bytes | None:
    """The challenge, if it was asked of them for this and not answered yet; from now on it is."""
    columns = PasskeyChallenge
    query = (
        delete(PasskeyChallenge)
        .where(
            col(columns.id) == challenge_id,
            col(columns.purpose) == binding.purpose,
            col(columns.user_id).is_not_distinct_from(binding.user_id),
            col(columns.bound_to).is_not_distinct_from(binding.bound_to),
            col(columns.expires_at) > func.now(),
        )
        .returning(col(columns.challenge))
    )
    return (await session.execute(query)).scalar_one_or_none()
