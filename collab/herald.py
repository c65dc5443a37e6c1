"""What this node tells the others: saved edits and presence, in order, never in anybody's way.

Redis may be slow or gone: then the oldest news are dropped, and the others read the journal.
"""

import asyncio
from collections import deque
from typing import Final
from uuid import UUID

from infra.bus import Bus, Kind, Message

MAX_QUEUED: Final = 20_000
MESSAGES_AT_ONCE: Final = 500


class Herald:
    """Queues news and publishes them many at a time."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._news: deque[tuple[UUID, Message]] = deque(maxlen=MAX_QUEUED)
        self._some = asyncio.Event()

    def tell(self, document_id: UUID, kind: Kind, payload: bytes, seq: int = 0) -> None:
        """Publish this soon."""
        self._news.append((document_id, Message(kind, seq, self._bus.node, payload)))
        self._some.set()

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            await self._some.wait()
            some = [self._news.popleft() for _ in range(min(len(self._news), MESSAGES_AT_ONCE))]
            if not self._news:
                self._some.clear()
            await self._bus.publish_many(some)
