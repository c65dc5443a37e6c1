"""Whether guests may still be where they sit: asked when the bus says that something changed, and now and then anyway.

A token is looked at once, when its owner enters; who is signed out, removed or demoted afterwards has to go or to stop
writing. The bus may lose the news, so everybody is asked for again within `ROUND_SECONDS`, as far as `AT_MOST` allows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from collab.library import OUTAGES
from collab.room import Room
from collab.seat import CannotOpen, Guest, Seat
from infra.logging import get_logger

log = get_logger(__name__)

ROUND_SECONDS: Final = 25.0
AT_MOST: Final = 20
"""Guests per second asked for without an occasion."""

LookUp = Callable[[Guest], Awaitable[Guest]]
"""The guest as they would be admitted now; raises CannotOpen."""


class Gatekeeper:
    """Sends guests away who may no longer be here."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._suspects: asyncio.Queue[list[Seat]] = asyncio.Queue()

    def suspect(self, seats: Iterable[Seat]) -> None:
        """The access of these has changed, perhaps."""
        self._suspects.put_nowait(list(seats))

    async def run(self) -> None:
        """Look at those who are suspected, for ever."""
        while True:
            await self._check(await self._suspects.get())

    async def go_round(self, rooms: Callable[[], Iterable[Room]]) -> None:
        """Look at everybody, one after another, for ever."""
        while True:
            seats = [seat for room in rooms() for seat in room.seats]
            pause = max(ROUND_SECONDS / max(len(seats), 1), 1 / AT_MOST)
            for seat in seats:
                await asyncio.sleep(pause)
                await self._check([seat])
            await asyncio.sleep(1 if seats else ROUND_SECONDS / 5)

    async def _check(self, seats: list[Seat]) -> None:
        known: dict[Guest, Guest | CannotOpen] = {}
        for seat in seats:
            guest = seat.guest
            if guest.session_id is None:
                continue  # nobody's browser: a token without a session lives by its expiry
            if guest not in known:
                try:
                    known[guest] = await self._look_up(guest)
                except CannotOpen as error:
                    known[guest] = error
                except OUTAGES as error:
                    log.warning("cannot tell who may stay", error=repr(error))
                    return
            _act(seat, known[guest])


def _act(seat: Seat, found: Guest | CannotOpen) -> None:
    if isinstance(found, CannotOpen):
        seat.line.hang_up(found.code, found.reason)
    elif not found.may_write and seat.guest.may_write:
        seat.guest = found
