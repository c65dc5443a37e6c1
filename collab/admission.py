"""Whether a token is still worth what it says: asked for many newcomers at once.

A token lasts minutes, and its owner may have lost their access since. A storm of reconnecting clients is asked for in
few queries, and only those for whom something has changed one by one.
"""

import asyncio
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

_NOT_NOW: Final = CannotOpen(Close.TRY_AGAIN, "cannot be looked up now")


class Admission:
    """Looks newcomers up."""

    def __init__(self, look_up: LookUp, unchanged: Unchanged) -> None:
        self._look_up = look_up
        self._unchanged = unchanged
        self._waiting: list[tuple[Guest, asyncio.Future[Guest]]] = []
        self._somebody = asyncio.Event()

    async def confirm(self, guest: Guest) -> Guest:
        """The guest of a token as they are admitted now.

        Raises:
            CannotOpen: they are not, or it cannot be found out.
        """
        if guest.session_id is None:
            return guest  # nobody's browser: it lives by its expiry
        answer: asyncio.Future[Guest] = asyncio.get_running_loop().create_future()
        self._waiting.append((guest, answer))
        self._somebody.set()
        return await answer

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
            storm = len(some) >= STORM
            try:
                fine = await self._unchanged({guest for guest, _ in some})
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
    else:
        answer.set_result(found)
