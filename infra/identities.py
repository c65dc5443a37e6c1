"""Who a session belongs to, remembered in Redis, and never for a moment longer than it is true.

Every entry carries the generations it was made in: one of everybody, one of the user, one of the session. A change
begins a new generation (`renew`) after its commit and before its answer, so an entry of before fits no more. A reader
takes the generations before it asks Postgres: what it then keeps is as old as they are, and cannot be taken for newer.
Generations are random and a missing one is made anew, so a wiped Redis brings nothing back either.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from infra.redis import Absent, Volatile

KEEP_SECONDS: Final = 30
_GENERATION_SECONDS: Final = 24 * 3600
_EVERYBODY: Final = "doxie:generation"


@dataclass(frozen=True, slots=True)
class Recalled:
    """What Redis knows of a session."""

    identity: dict[str, Any] | None
    """As it was kept; None where nothing is known."""
    generations: str | None
    """To keep an identity with that is read after this; None where none can be kept."""


class Identities:
    """Remembers identities of sessions."""

    def __init__(self, volatile: Volatile, *, doubted: Callable[[], bool]) -> None:
        """While `doubted`, generations may be old, and nothing is recalled."""
        self._volatile = volatile
        self._doubted = doubted

    async def recall(self, user_id: UUID, session_id: UUID) -> Recalled:
        """What is known of a session, in one round trip."""
        if self._doubted():
            return Recalled(None, None)
        keys = [*_keys(user_id, session_id), _entry(user_id, session_id)]
        try:
            *found, entry = await self._volatile.ask(lambda redis: redis.mget(keys))
            if None in found:
                generations = await self._volatile.ask(lambda redis: _made(redis, keys[:-1]))
            else:
                generations = ".".join(map(str, found))
        except Absent:
            return Recalled(None, None)
        kept = json.loads(entry) if entry else {}
        return Recalled(kept["identity"] if kept.get("generations") == generations else None, generations)

    async def keep(self, user_id: UUID, session_id: UUID, identity: dict[str, Any], generations: str) -> None:
        """Remember an identity that was read after its generations."""
        entry = json.dumps({"generations": generations, "identity": identity})
        try:
            key = _entry(user_id, session_id)
            await self._volatile.ask(lambda redis: redis.set(key, entry, ex=KEEP_SECONDS))
        except Absent:
            return


def renew(
    pipeline: "Pipeline", *, user_id: UUID | None = None, session_id: UUID | None = None, everybody: bool = False
) -> None:
    """Begin a new generation of a user, a session or everybody, as part of a pipeline."""
    named = {f"{_EVERYBODY}:user": user_id, f"{_EVERYBODY}:session": session_id}
    keys = [f"{prefix}:{value}" for prefix, value in named.items() if value is not None]
    for key in [*keys, *([_EVERYBODY] if everybody else [])]:
        pipeline.set(key, secrets.token_hex(8), ex=_GENERATION_SECONDS)


def _keys(user_id: UUID, session_id: UUID) -> list[str]:
    return [_EVERYBODY, f"{_EVERYBODY}:user:{user_id}", f"{_EVERYBODY}:session:{session_id}"]


def _entry(user_id: UUID, session_id: UUID) -> str:
    return f"doxie:identity:{user_id}:{session_id}"


async def _made(redis: "Redis", keys: list[str]) -> str:
    """The generations, those that are missing made now; of two who make one, both get the first."""
    made = [secrets.token_hex(8) for _ in keys]
    async with redis.pipeline(transaction=False) as pipeline:
        for key, value in zip(keys, made, strict=True):
            pipeline.set(key, value, nx=True, get=True, ex=_GENERATION_SECONDS)
        found = await pipeline.execute()
    return ".".join(old or new for old, new in zip(found, made, strict=True))
