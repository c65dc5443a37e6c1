"""Waking the streams of people who are told something: one connection to Postgres for the whole process."""

import asyncio
from collections import defaultdict
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
        self._db = db
        self._waiting: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)

    async def follow(self) -> None:
        """Listen, for ever. After a lost connection everybody looks again, since something may have been missed."""
        while True:
            try:
                async for payload in self._db.listen(CHANNEL):
                    self._wake(UUID(payload))
            except Exception as error:
                log.warning("notifications are not heard", error=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)
            for user_id in list(self._waiting):
                self._wake(user_id)

    async def wait(self, user_id: UUID, seconds: float) -> bool:
        """Wait for news of somebody; whether there may be some."""
        event = asyncio.Event()
        self._waiting[user_id].add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting[user_id].discard(event)
            if not self._waiting[user_id]:
                del self._waiting[user_id]
        return True

    def _wake(self, user_id: UUID) -> None:
        for event in self._waiting.get(user_id, ()):
            event.set()
