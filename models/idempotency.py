"""Idempotency keys: the same request sent twice has one effect and one answer.

The key is taken in the transaction of the request and its answer is stored there, so both are
there or neither. A second request waits for the first one's transaction.

Answers hold secrets that are shown once, and requests hold passwords: answers are sealed, and of
requests a keyed hash is kept, which nobody can try passwords against.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Uuid, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from infra import clock, sealing
from infra.settings import get_settings
from models.base import binary, created
from models.errors import Invalid

_PURPOSE = "idempotency"


class KeyReused(Invalid):
    """This idempotency key was used for another request."""


class IdempotencyKey(SQLModel, table=True):
    """A key somebody used, and the answer they got."""

    __tablename__ = "idempotency_keys"

    user_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    key: str = Field(primary_key=True)
    fingerprint: bytes = binary()
    """Keyed hash of the method, the path and the body."""
    status: int | None = None
    headers: str | None = None
    body: bytes | None = binary(default=None, nullable=True)
    """Sealed."""
    created_at: datetime = created()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: status, content type and ETag (one a line, may be empty), body."""

    status: int
    headers: str
    body: bytes


def fingerprint(*content: bytes) -> bytes:
    """What tells a request from others."""
    secret = get_settings().secret_key.get_secret_value().encode()
    return hmac.digest(secret, b"\0".join([b"idempotency", *content]), hashlib.sha256)


async def take(session: AsyncSession, user_id: UUID, key: str, fingerprint: bytes) -> Answer | None:
    """Take a key for the running request, or get the answer it had before.

    Raises:
        KeyReused: it was used for another request.
    """
    row = {"user_id": user_id, "key": key, "fingerprint": fingerprint, "created_at": clock.now()}
    inserted = await session.execute(
        insert(IdempotencyKey).values(row).on_conflict_do_nothing().returning(col(IdempotencyKey.key))
    )
    if inserted.first() is not None:
        return None
    used = await session.get(IdempotencyKey, (user_id, key))
    if used is None or used.fingerprint != fingerprint or used.status is None:
        raise KeyReused()
    body = sealing.unseal(get_settings(), _PURPOSE, used.body or b"", place=_place(user_id, key))
    return Answer(used.status, used.headers or "", body)


async def keep(session: AsyncSession, user_id: UUID, key: str, answer: Answer) -> None:
    """Store the answer to the request that took the key."""
    body = sealing.seal(get_settings(), _PURPOSE, answer.body, place=_place(user_id, key))
    await session.execute(
        update(IdempotencyKey)
        .where(col(IdempotencyKey.user_id) == user_id, col(IdempotencyKey.key) == key)
        .values(status=answer.status, headers=answer.headers, body=body)
    )


async def forget(session: AsyncSession, *, before: datetime) -> int:
    """Forget the keys that were taken before; how many. Nobody sends a request again after a day."""
    gone = await session.execute(
        delete(IdempotencyKey)
        .where(col(IdempotencyKey.created_at) < before)
        .returning(col(IdempotencyKey.key))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _place(user_id: UUID, key: str) -> bytes:
    return user_id.bytes + key.encode()
