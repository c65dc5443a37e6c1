"""One document on one socket: from knocking, over waiting for the document to be loaded, to sitting and leaving."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from collab import protocol
from collab.allowance import Allowance, Hold
from collab.protocol import Close, Said
from collab.room import Full, NotAllowed, Room, refuse
from collab.rooms import Rooms
from collab.seat import CannotOpen, Guest, Line, Seat
from models.lib0 import ProtocolError

MAX_QUEUED_MESSAGES: Final = 1000
MAX_QUEUED_BYTES: Final = protocol.MAX_MESSAGE + 64 * 1024
PRESENCE_RATE: Final = 20.0
"""Messages a second; what a client says beyond is told together."""
PRESENCE_BURST: Final = 40.0
PRESENCE_PAUSE: Final = 0.1

# Python 3.11 takes as long for a member of an enum as for a call: those in every message have names of their own.
_UPDATE, _STEP1, _STEP2, _AWARENESS = Said.UPDATE, Said.STEP1, Said.STEP2, Said.AWARENESS

TurnedAway = Callable[["Place", Close, str], None]


class Place:
    """What is said before the document is there is kept, within bounds, and heard afterwards."""

    __slots__ = (
        "_again",
        "_hold",
        "_left",
        "_presence",
        "_queue",
        "_queued",
        "_room",
        "_rooms",
        "_seat",
        "_task",
        "_turned_away",
        "address",
        "line",
        "wants_status",
    )

    def __init__(
        self, rooms: Rooms, line: Line, address: bytes, *, wants_status: bool, turned_away: TurnedAway
    ) -> None:
        self.address = address
        self.line = line
        self.wants_status = wants_status
        self._rooms = rooms
        self._turned_away = turned_away
        self._queue: list[tuple[Said, bytes]] = []
        self._queued = 0
        self._room: Room | None = None
        self._seat: Seat | None = None
        self._task: asyncio.Task[None] | None = None
        self._again: asyncio.Task[None] | None = None
        self._left = False
        self._presence: Allowance | None = None
        self._hold: Hold | None = None

    def admit(self, guest: Guest | Awaitable[Guest]) -> None:
        """Sit down, once the guest is known and the document is open.

        Raises:
            CannotOpen: it is known at once that they cannot.
        """
        if isinstance(guest, Guest) and (room := self._rooms.find(guest)) is not None:
            self._sit(room, guest, self._rooms.news)
        else:
            self._task = asyncio.create_task(self._wait(guest))

    def admit_again(self, guest: Guest | Awaitable[Guest]) -> None:
        """The guest has shown a new token: go on with what it allows, once it is looked up."""
        self._again = asyncio.create_task(self._renew(guest))

    def hear(self, said: Said, argument: bytes) -> None:
        """Take a message to this document."""
        room, seat = self._room, self._seat
        if room is None or seat is None:
            self._keep(said, argument)
        elif said is _UPDATE or said is _STEP2:
            if self._rooms.writer.full:
                self.line.hang_up(Close.TRY_AGAIN, "too much is not saved yet")
                return
            try:
                if said is _UPDATE:
                    room.edit(seat, argument)
                else:
                    room.reply(seat, argument)
            except (NotAllowed, Full) as error:
                refuse(seat, str(error))
        elif said is _AWARENESS:
            self._hear_presence(room, seat, argument)
        elif said is _STEP1:
            room.ask(seat, argument)
        elif said is Said.QUERY_AWARENESS:
            room.tell_presence(seat)
        elif said is not Said.STATELESS:
            raise ProtocolError("that has no place here")

    def pause(self) -> None:
        """The client begins to lag."""
        if self._room is not None and self._seat is not None:
            self._room.pause(self._seat)

    def resume(self) -> None:
        """The client has read what it was sent."""
        if self._room is not None and self._seat is not None:
            self._room.resume(self._seat)

    def leave(self) -> None:
        """Get up, or stop waiting."""
        self._left = True
        self._turned_away = _gone  # it refers to this: see `Socket.closed`
        self._queue.clear()
        for task in (self._task, self._again):
            if task is not None:
                task.cancel()
        if self._room is not None and self._seat is not None:
            room, self._room = self._room, None
            self._rooms.leave(room, self._seat)

    def _hear_presence(self, room: Room, seat: Seat, states: bytes) -> None:
        """At once, or together with what follows where somebody says too much."""
        now = time.monotonic()
        if self._hold is None:
            if self._presence is None:
                self._presence = Allowance(PRESENCE_RATE, PRESENCE_BURST, now)
            if not (wait := self._presence.take(1, now)):
                self._rooms.tell_presence(room, seat, room.hear(seat, states, now))
                return
            self._hold = Hold()
            asyncio.get_running_loop().call_later(wait + PRESENCE_PAUSE, self._release)
        self._hold.add(states)

    def _release(self) -> None:
        hold, self._hold = self._hold, None
        if hold is None or self._room is None or self._seat is None:
            return
        try:
            self._rooms.tell_presence(
                self._room, self._seat, self._room.hear(self._seat, hold.take(), time.monotonic())
            )
        except ProtocolError as error:
            self.line.hang_up(Close.MALFORMED, str(error))

    def _keep(self, said: Said, argument: bytes) -> None:
        self._queue.append((said, argument))
        self._queued += len(argument)
        if len(self._queue) > MAX_QUEUED_MESSAGES or self._queued > MAX_QUEUED_BYTES:
            self.line.hang_up(Close.TRY_AGAIN, "too much before the document was there")

    async def _wait(self, looked_up: Guest | Awaitable[Guest]) -> None:
        news = self._rooms.news
        try:
            guest = await _found(looked_up)
            room = self._rooms.find(guest) or await self._rooms.open(guest)
            if not self._left:
                self._sit(room, guest, news)
        except CannotOpen as cannot:
            if not self._left:
                self._turned_away(self, cannot.code, cannot.reason)
        except ProtocolError as malformed:
            self.line.hang_up(Close.MALFORMED, str(malformed))
        finally:
            self._task = None

    async def _renew(self, looked_up: Guest | Awaitable[Guest]) -> None:
        try:
            guest = await _found(looked_up)
        except CannotOpen as error:
            if not self._left:
                self._turned_away(self, error.code, error.reason)
            return
        if self._seat is not None:
            self._seat.guest = guest
            self._seat.say(protocol.authenticated(may_write=guest.may_write))

    def _sit(self, room: Room, guest: Guest, news: int) -> None:
        self._room = room
        self._seat = seat = Seat(self.line, guest, self.address, self.wants_status)
        if self.address:
            seat.say(protocol.authenticated(may_write=guest.may_write))
        self._rooms.enter(room, seat, news=news)
        queue, self._queue = self._queue, []
        for said, argument in queue:
            self.hear(said, argument)


def _gone(_place: Place, _code: Close, _reason: str) -> None:
    """Whom a place tells that was left."""


async def _found(guest: Guest | Awaitable[Guest]) -> Guest:
    return guest if isinstance(guest, Guest) else await guest
