"""The open documents of this process: opening, repairing and closing them, and following what other processes do.

A room hears the bus before it is loaded, so nothing falls between the two; what it has missed shows as a gap in `seq`
and is read from the journal. A document that cannot be loaded is never replaced by an empty one.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from collab.keepers import Keepers
from collab.library import OUTAGES, Library
from collab.metrics import Metrics
from collab.protocol import Close
from collab.room import Room
from collab.seat import CannotOpen, Guest, Seat
from collab.writer import Writer
from infra.bus import Bus, Kind, Message, Revocation
from infra.db import Database
from infra.herald import Herald
from infra.logging import get_logger
from infra.settings import Settings
from models.documents import DocumentGone, Edit, fullness
from models.lib0 import ProtocolError

log = get_logger(__name__)

READS_AT_ONCE: Final = 8
KEEP_SECONDS: Final = 30.0
"""A room that everybody has left stays so long for whoever comes back."""
SWEEP_SECONDS: Final = 5.0
GREETED_AT_LEAST: Final = 20
USER_BYTES: Final = 16
HELLO: Final = b""
SWEEPS_PER_HELLO: Final = 4
SHARED_SECONDS: Final = 60.0
"""Who has not heard another process say hello for so long has the document to itself, and need not tell."""


class Rooms:
    """All rooms of one process."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        library: Library,
        bus: Bus,
        metrics: Metrics,
        *,
        suspect: Callable[[Iterable[Seat]], None],
    ) -> None:
        self._library = library
        self._bus = bus
        self._metrics = metrics
        self._suspect = suspect
        self.herald = Herald(bus)
        self.writer = Writer(db, metrics, expel=self.expel, saved=self._tell_saved)
        self.keepers = Keepers(settings, library, metrics, expel=self.expel, ready=self.writer.ready)
        self._settings = settings
        self._open: dict[UUID, Room] = {}
        self._guests: Counter[UUID] = Counter()
        """Seats by organization."""
        self._documents: Counter[UUID] = Counter()
        """Open documents by organization."""
        self.news = 0
        """How often it was heard that somebody's access changed, or may have been missed."""
        self._arriving: dict[UUID, Room] = {}
        self._opening: dict[UUID, asyncio.Task[Room]] = {}
        self._empty_since: dict[Room, float] = {}
        self._shared_until: dict[UUID, float] = {}
        self._catching_up: set[Room] = set()
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- guests ---

    def find(self, guest: Guest) -> Room | None:
        """The guest's document, if it is open here already."""
        room = self._open.get(guest.document_id)
        if room is not None and room.org_id != guest.org_id:
            raise CannotOpen(Close.NOT_FOUND, "no such document")
        if room is not None and room.crowd >= self._settings.collab_sockets_per_document:
            raise CannotOpen(Close.TRY_AGAIN, "too many people are at this document")
        if self._guests[guest.org_id] >= self._settings.collab_sockets_per_org:
            raise CannotOpen(Close.TRY_AGAIN, "your organization has too many connections")
        return room

    async def open(self, guest: Guest) -> Room:
        """The guest's document.

        Raises:
            CannotOpen: it does not exist, or cannot be loaded now.
        """
        while (room := self.find(guest)) is None:
            await asyncio.shield(self._begin_to_open(guest))
        return room

    def expect(self, guest: Guest) -> None:
        """Begin to open the document of a guest of whom it is still being found out whether they may have it."""
        with suppress(CannotOpen):
            if self.find(guest) is None:
                self._begin_to_open(guest)

    def _begin_to_open(self, guest: Guest) -> "asyncio.Task[Room]":
        opening = self._opening.get(guest.document_id)
        if opening is None:
            if self._documents[guest.org_id] >= self._settings.collab_documents_per_org:
                raise CannotOpen(Close.TRY_AGAIN, "your organization has too many documents open")
            opening = asyncio.create_task(self._load(guest.document_id, guest.org_id))
            opening.add_done_callback(_looked_at)
            self._opening[guest.document_id] = opening
        return opening

    def all(self) -> list[Room]:
        """Every open document."""
        return list(self._open.values())

    def enter(self, room: Room, seat: Seat, *, news: int) -> None:
        """Let a seat join. `news` is how much had been heard when its guest was looked up."""
        self._empty_since.pop(room, None)
        self._guests[room.org_id] += 1
        room.join(seat)
        if news != self.news:  # while they were looked up, or this document was opened
            self._suspect([seat])

    def leave(self, room: Room, seat: Seat) -> None:
        """Let a seat leave; the room is kept for a while."""
        self._guests[room.org_id] -= 1
        self.tell_presence(room, seat, room.leave(seat, time.monotonic()))
        if room.empty:
            self._empty_since[room] = time.monotonic()

    def tell_presence(self, room: Room, seat: Seat, states: bytes) -> None:
        """Tell other nodes what a socket here said about itself."""
        if states and self._is_shared(room.document_id):
            self.herald.tell(room.document_id, Kind.AWARENESS, seat.guest.user_id.bytes + states)

    def _tell_saved(self, room: Room, seqs: list[int], edits: list[Edit]) -> None:
        if self._is_shared(room.document_id):
            for seq, edit in zip(seqs, edits, strict=True):
                self.herald.tell(room.document_id, Kind.UPDATE, edit.payload, seq)

    # --- opening and closing ---

    async def _load(self, document_id: UUID, org_id: UUID) -> Room:
        room = Room(document_id, org_id, stir=self._stir)
        self._arriving[document_id] = room
        try:
            await self._bus.subscribe(document_id)
            room.org_full = fullness.has(org_id)
            await self.keepers.open(room)
        except DocumentGone as gone:
            self._unsubscribe(document_id)
            raise CannotOpen(Close.NOT_FOUND, "no such document") from gone
        except Exception as error:  # whatever it is: nobody may mistake it for an empty document
            self._unsubscribe(document_id)
            self._metrics.loads_failed_total += 1
            log.error("document cannot be loaded", document_id=str(document_id), error=repr(error))
            raise CannotOpen(Close.TRY_AGAIN, "document cannot be loaded now") from error
        finally:
            del self._arriving[document_id], self._opening[document_id]
        self._open[document_id] = room
        self._documents[org_id] += 1
        self._empty_since[room] = time.monotonic()
        self._say_hello(room)
        if room.progress.behind:
            self._catch_up(room)
        return room

    def expel(self, room: Room, code: Close, reason: str) -> None:
        """Close a room at once and everybody's socket with it; what is unsaved their clients still have."""
        self._close(room)
        for seat in room.seats:
            seat.line.hang_up(code, reason)

    def _close(self, room: Room) -> None:
        if self._open.get(room.document_id) is room:
            del self._open[room.document_id]
            self._documents[room.org_id] -= 1
            self._unsubscribe(room.document_id)
        self._empty_since.pop(room, None)
        self._shared_until.pop(room.document_id, None)
        self.writer.forget(room)
        self.keepers.forget(room)

    def _unsubscribe(self, document_id: UUID) -> None:
        self._later(self._bus.unsubscribe(document_id))

    async def sweep(self) -> None:
        """Close rooms nobody sits in, forget silent clients of other nodes, look for news that got lost; for ever."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for room in [room for room, since in self._empty_since.items() if now - since > KEEP_SECONDS]:
                if not room.all_unsaved() and room.empty:
                    self._close(room)
            for room in self._open.values():
                room.expire(now)
            self._metrics.rooms = len(self._open)
            some = max(GREETED_AT_LEAST, len(self._open) // SWEEPS_PER_HELLO + 1)
            greeted = list(self._open.values())[:some]
            for room in greeted:
                self._open[room.document_id] = self._open.pop(room.document_id)  # behind the others, which are next
                self._say_hello(room)
            self._later(self._look_for_news(greeted))

    def ration(self) -> None:
        """It was looked which organizations are full."""
        for room in self._open.values():
            room.org_full = fullness.has(room.org_id)

    def _stir(self, room: Room) -> None:
        """There is something to be applied, asked or saved."""
        self.keepers.stir(room)
        if room.unsaved:
            self.writer.mark(room)

    # --- other processes ---

    async def follow(self) -> None:
        """Take what other processes tell, for ever."""
        async for arrival in self._bus.messages():
            if arrival is None:
                self.news += 1
                for room in self._open.values():
                    self._catch_up(room)
            elif isinstance(arrival, Revocation):
                self.news += 1
                self._suspect(seat for room in self._open.values() for seat in room.seats if seat.concerned(arrival))
            else:
                document_id, message = arrival
                known = self._open.get(document_id) or self._arriving.get(document_id)
                if known is not None and message.node != self._bus.node:
                    self._take(known, message)

    def _take(self, room: Room, message: Message) -> None:
        if message.kind is Kind.UPDATE:
            room.edited(message.seq, message.payload)
            if room.progress.behind and room.document_id in self._open:
                self._catch_up(room)
        elif message.kind is Kind.AWARENESS and message.payload == HELLO:
            self._hear_hello(room)
        elif message.kind is Kind.AWARENESS:
            self._take_presence(room, message)
        elif message.kind is Kind.RELOAD:
            self._catch_up(room)

    def _say_hello(self, room: Room) -> None:
        """Let other processes that have this document open know that it is open here, too."""
        self.herald.tell(room.document_id, Kind.AWARENESS, HELLO)

    def _is_shared(self, document_id: UUID) -> bool:
        return self._shared_until.get(document_id, 0) > time.monotonic()

    def _hear_hello(self, room: Room) -> None:
        """From now on tell what is saved here; what was not told until now, the other reads from the journal."""
        if not self._is_shared(room.document_id):
            self.herald.tell(room.document_id, Kind.RELOAD, b"")
            self._say_hello(room)
            for user, states in room.presence.local().items():
                self.herald.tell(room.document_id, Kind.AWARENESS, user + states)
        self._shared_until[room.document_id] = time.monotonic() + SHARED_SECONDS

    def _take_presence(self, room: Room, message: Message) -> None:
        """Presence travels as the user's id and an awareness update."""
        user, states = message.payload[:USER_BYTES], message.payload[USER_BYTES:]
        try:
            room.heard(message.node, user, states, time.monotonic())
        except ProtocolError as error:
            log.warning("presence from another process is malformed", error=str(error))

    async def _look_for_news(self, rooms: list[Room]) -> None:
        """Redis may have lost some: those that have missed anything read it."""
        try:
            ahead = await self._library.ahead(rooms) if rooms else []
        except OUTAGES as error:
            log.warning("cannot look for news", error=repr(error))
            return
        for room in ahead:
            if self._open.get(room.document_id) is room:
                self._catch_up(room)

    def _catch_up(self, room: Room) -> None:
        if room not in self._catching_up:
            self._catching_up.add(room)
            self._later(self._read_tail(room))

    async def _read_tail(self, room: Room) -> None:
        try:
            async with self._reads:
                entries = await self._library.tail(room)
        except OUTAGES as error:
            log.warning("cannot catch up", document_id=str(room.document_id), error=repr(error))
            return
        finally:
            self._catching_up.discard(room)
        for entry in entries:
            room.edited(entry.seq, entry.payload)
        if entries:
            room.progress.covered(entries[-1].seq)

    def _later(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _looked_at(opening: "asyncio.Task[Room]") -> None:
    if not opening.cancelled():
        opening.exception()  # whoever was expected may not have come; or asyncio complains that nobody looked
