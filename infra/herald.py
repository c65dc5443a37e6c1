"""What this process tells the others: saved edits and presence, in order, never in anybody's way.

Redis may be slow or gone: then the oldest news are dropped, and the others read the journal.
"""

import asyncio
from collections import deque
from typing import Final
from uuid import UUID

from infra.bus import Bus, Kind, Message

MAX_QUEUED: Final = 20_000
MAX_BYTES: Final = 64 * 1024 * 1024
MESSAGES_AT_ONCE: Final = 500


class Herald:
    """Queues news and publishes them many at a time."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._news: deque[tuple[UUID, Message]] = deque()
        self._bytes = 0
        self._some = asyncio.Event()

    def tell(self, document_id: UUID, kind: Kind, payload: bytes, seq: int = 0) -> None:
        """Publish this soon."""
        self._news.append((document_id, Message(kind, seq, self._bus.node, payload)))
        self._bytes += len(payload)
        while len(self._news) > MAX_QUEUED or self._bytes > MAX_BYTES:
            self._next()
        self._some.set()

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            await self._some.wait()
            await self._publish()

    async def finish(self) -> None:
        """Publish what is left, one batch of it at most: the others read the rest from the journal."""
        if self._news:
            await self._publish()

    async def _publish(self) -> None:
        some = [self._next() for _ in range(min(len(self._news), MESSAGES_AT_ONCE))]
        if not self._news:
            self._some.clear()
        await self._bus.publish_many(some)

    def _next(self) -> tuple[UUID, Message]:
        news = self._news.popleft()
        self._bytes -= len(news[1].payload)
        return news
