"""Whether a token is still worth what it says: asked for many newcomers at once.

A token lasts minutes, and its owner may have lost their access since. A storm of reconnecting clients is asked for in
few queries, and only those for whom something has changed one by one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from collab.gatekeeper import AT_ONCE, LookUp, Unchanged
from collab.library import OUTAGES
from collab.protocol import Close
from collab.seat import CannotOpen, Guest
from infra.logging import get_logger

log = get_logger(__name__)

GROUP_SECONDS: Final = 0.012
"""In a storm, who comes within so long is asked for together: asking costs as much as letting a dozen in does."""
STORM: Final = 3
"""So many at once are one."""
FRESH_SECONDS: Final = 1.0
"""In a storm, an answer holds for so long, unless it is heard that somebody's access has changed."""

_NOT_NOW: Final = CannotOpen(Close.TRY_AGAIN, "cannot be looked up now")


class _Fresh:
    """Who was confirmed a moment ago. `news` is how often it was heard that somebody's access changed."""

    def __init__(self, news: Callable[[], int]) -> None:
        self._news = news
        self._guests: set[Guest] = set()
        self._as_of = (0.0, 0)

    def now(self) -> tuple[float, int]:
        """A moment, and what had been heard by then."""
        return time.monotonic(), self._news()

    def has(self, guest: Guest) -> bool:
        """Whether they need not be asked for again."""
        if self._guests:
            (began, heard), (now, news) = self._as_of, self.now()
            if now - began < FRESH_SECONDS and news == heard:
                return guest in self._guests
            self._guests.clear()
        return False

    def add(self, guests: Iterable[Guest], as_of: tuple[float, int]) -> None:
        """These were confirmed by a query that began at this moment."""
        if not self._guests:
            self._as_of = as_of
        if self._as_of[1] == as_of[1]:
            self._guests.update(guests)

    def clear(self) -> None:
        """Everybody is to be asked for."""
        self._guests.clear()


class Admission:
    """Looks newcomers up. `news` is how often it was heard that somebody's access changed."""

    def __init__(self, look_up: LookUp, unchanged: Unchanged, news: Callable[[], int]) -> None:
        self._look_up = look_up
        self._unchanged = unchanged
        self._fresh = _Fresh(news)
        self._waiting: list[tuple[Guest, asyncio.Future[Guest]]] = []
        self._somebody = asyncio.Event()

    def confirm(self, guest: Guest) -> Guest | Awaitable[Guest]:
        """The guest of a token as they are admitted now, or what becomes it.

        Awaiting raises CannotOpen: they are not admitted, or it cannot be found out.
        """
        if guest.session_id is None:
            return guest  # nobody's browser: it lives by its expiry
        if self._fresh.has(guest):
            return guest
        answer: asyncio.Future[Guest] = asyncio.get_running_loop().create_future()
        self._waiting.append((guest, answer))
        self._somebody.set()
        return answer

    async def run(self) -> None:
        """Answer, for ever. Who comes during a query is in the next one."""
        storm = False
        while True:
            await self._somebody.wait()
            if storm:
                await asyncio.sleep(GROUP_SECONDS)
            some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            if not self._waiting:
                self._somebody.clear()
            storm, as_of = len(some) >= STORM, self._fresh.now()
            try:
                fine = await self._unchanged({guest for guest, _ in some})
                if storm:
                    self._fresh.add(fine, as_of)
                else:
                    self._fresh.clear()
                for guest, answer in some:
                    if guest in fine:
                        _tell(answer, guest)
                    elif not answer.done():
                        _tell(answer, await self._found(guest))
            except OUTAGES as error:
                log.warning("cannot tell who may enter", error=repr(error))
                for _, answer in some:
                    _tell(answer, _NOT_NOW)

    async def _found(self, guest: Guest) -> Guest | CannotOpen:
        try:
            return await self._look_up(guest)
        except CannotOpen as error:
            return error


def _tell(answer: "asyncio.Future[Guest]", found: Guest | CannotOpen) -> None:
    if answer.done():  # they have gone
        return
    if isinstance(found, CannotOpen):
        answer.set_exception(CannotOpen(found.code, found.reason))
        answer.exception()  # who has gone before they waited for it does not look at it
    else:
        answer.set_result(found)
