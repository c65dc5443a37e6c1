"""Whether guests may still be where they sit: asked when the bus says that something changed, and now and then anyway.

A token is looked at once, when its owner enters; who is signed out, removed or demoted afterwards has to go or to stop
writing. The bus may lose the news, so everybody is asked for again within 25 s: many at a time, and one by
one only those for whom something has changed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final

from collab.library import OUTAGES
from collab.room import Room
from collab.seat import CannotOpen, Guest, Seat
from infra.logging import get_logger

log = get_logger(__name__)

ROUND_SECONDS: Final = 12.0
"""Who sits down behind the round is met by the next one: after twice as long at the latest."""
AT_ONCE: Final = 200
"""Seats asked for in one query."""

LookUp = Callable[[Guest], Awaitable[Guest]]
"""The guest as they would be admitted now; raises CannotOpen."""

Unchanged = Callable[[Collection[Guest]], Awaitable[set[Guest]]]
"""Of many guests those who would be admitted now just as they were."""


class Gatekeeper:
    """Sends guests away who may no longer be here."""

    def __init__(self, look_up: LookUp, unchanged: Unchanged) -> None:
        self._look_up = look_up
        self._unchanged = unchanged
        self._suspects: asyncio.Queue[list[Seat]] = asyncio.Queue()

    def suspect(self, seats: Iterable[Seat]) -> None:
        """The access of these has changed, perhaps."""
        self._suspects.put_nowait(list(seats))

    async def run(self) -> None:
        """Look at those who are suspected, for ever."""
        while True:
            seats = await self._suspects.get()
            while not self._suspects.empty():
                seats += self._suspects.get_nowait()
            await self._check(seats)

    async def go_round(self, rooms: Callable[[], Iterable[Room]]) -> None:
        """Look at everybody once in `ROUND_SECONDS`, a batch at a time, for ever."""
        while True:
            seats = [seat for room in rooms() for seat in room.seats]
            batches = max(1, -(-len(seats) // AT_ONCE))
            for number in range(batches):
                await asyncio.sleep(ROUND_SECONDS / batches)
                await self._check(seats[number * AT_ONCE : (number + 1) * AT_ONCE])

    async def _check(self, seats: list[Seat]) -> None:
        for start in range(0, len(seats), AT_ONCE):
            try:
                await self._check_some(seats[start : start + AT_ONCE])
            except OUTAGES as error:
                log.warning("cannot tell who may stay", error=repr(error))
                return

    async def _check_some(self, seats: list[Seat]) -> None:
        # A token without a session is nobody's browser: it lives by its expiry.
        guests = {seat.guest for seat in seats if seat.guest.session_id is not None}
        if not guests:
            return
        doubtful = guests - await self._unchanged(guests)
        found = {guest: await self._found(guest) for guest in doubtful}
        for seat in seats:
            if seat.guest in found:
                _act(seat, found[seat.guest])

    async def _found(self, guest: Guest) -> Guest | CannotOpen:
        try:
            return await self._look_up(guest)
        except CannotOpen as error:
            return error


def _act(seat: Seat, found: Guest | CannotOpen) -> None:
    if isinstance(found, CannotOpen):
        seat.line.hang_up(found.code, found.reason)
    elif not found.may_write and seat.guest.may_write:
        seat.guest = found
