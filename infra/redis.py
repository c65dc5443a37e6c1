"""Redis where it only hurries: a question is answered in a moment, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from infra import patience
from infra.logging import get_logger

log = get_logger(__name__)

PATIENCE_SECONDS: Final = 0.25
PAUSE_SECONDS: Final = 1.0
"""After an answer that did not come, nobody asks again for so long: nobody waits for a Redis that hangs."""

OUTAGES: Final = (RedisError, OSError, TimeoutError, RuntimeError)
"""What is raised while Redis cannot be reached: by uvloop RuntimeError, of a connection that broke unnoticed."""

T = TypeVar("T")


class Absent(Exception):
    """Redis does not answer: do without."""


class Volatile:
    """A connection pool to what may be gone at any time."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url,
            socket_connect_timeout=PATIENCE_SECONDS,
            **patience.redis(),
            retry=Retry(NoBackoff(), 1),  # a connection that a restart has cut
            decode_responses=True,
        )
        self._silent_until = 0.0

    async def ask(self, question: Callable[["redis.asyncio.Redis"], Awaitable[T]]) -> T:
        """The answer to a question.

        Raises:
            Absent: there is none.
        """
        now = asyncio.get_running_loop().time()
        if now < self._silent_until:
            raise Absent()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await question(self._redis)
        except OUTAGES as error:
            self._silent_until = now + PAUSE_SECONDS
            log.warning("redis does not answer", error=repr(error))
            raise Absent() from error

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
