"""Waking the streams of people who are told something: one connection to Postgres for the whole process."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from infra.db import Database
from infra.logging import get_logger
from models.notifications import CHANNEL

log = get_logger(__name__)

PAUSE_SECONDS: Final = 1.0


class Bulletin:
    """Lets streams wait for news of one person."""

    def __init__(self, db: Database) -> None:
        self.listening = asyncio.Event()
        """Set while everything that is committed is heard."""
        self._db = db
        self._waiting: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)

    async def follow(self) -> None:
        """Listen, for ever. Everybody looks once it is heard (again): something may have been missed."""
        while True:
            try:
                async with self._db.listen(CHANNEL) as payloads:
                    self.listening.set()
                    for user_id in list(self._waiting):
                        self._wake(user_id)
                    async for payload in payloads:
                        self._wake(UUID(payload))
            except Exception as error:
                log.warning("notifications are not heard", error=repr(error))
            self.listening.clear()
            await asyncio.sleep(PAUSE_SECONDS)

    @contextmanager
    def news(self, user_id: UUID) -> Iterator[asyncio.Event]:
        """What is set when there may be news of somebody; clear it before looking, so that none falls in between."""
        event = asyncio.Event()
        self._waiting[user_id].add(event)
        try:
            yield event
        finally:
            self._waiting[user_id].discard(event)
            if not self._waiting[user_id]:
                del self._waiting[user_id]

    def _wake(self, user_id: UUID) -> None:
        for event in self._waiting.get(user_id, ()):
            event.set()
