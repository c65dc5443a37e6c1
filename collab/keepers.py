"""The keepers of this process: which one has which room's Doc, what is given to them, and what is done when one dies.

A keeper is a process that applies updates (models/yjs/keeper.py), for a share of the rooms. When it dies, it is
replaced and its rooms are made anew from the journal. The room it was working on is looked into first: the edits at
fault are found by another process that may die, and from then on the room lives in the ward, away from the others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from collab import errands
from collab.library import OUTAGES, Library
from collab.metrics import Metrics
from collab.protocol import Close
from collab.room import Room
from collab.suspicion import Suspicion, search
from infra.cage import Cage, CageBroken
from infra.logging import get_logger
from infra.settings import Settings
from models.documents import DocumentGone, Loaded, StateUnavailable
from models.lib0 import ProtocolError
from models.yjs import wire
from models.yjs.wire import Did, Do

log = get_logger(__name__)

GROUP_SECONDS: Final = 0.003
"""What arrives within so long is applied together, unless somebody waits; what arrives meanwhile is applied next."""
GROUP_SECONDS_PER_UPDATE: Final = 0.0002
"""Or for another errand."""
GROUP_SECONDS_AT_MOST: Final = 0.016
"""Where much is written, a keeper is asked less often: asking costs as much as a dozen edits do."""
LOADS_AT_ONCE: Final = 8
SKIP_AT_MOST: Final = 20
"""Stored updates that kill keepers, before the document counts as unreadable."""
STRIKES: Final = 5
"""So often a room may cost a keeper or its Doc; then it is closed, and who comes back begins anew."""

Expel = Callable[[Room, Close, str], None]
Ready = Callable[[Room], None]
Start = Callable[[], Awaitable[Cage]]


class Unloadable(Exception):
    """What is stored does not make this document."""


class Keeper:
    """One process, and the rooms it has Docs of."""

    def __init__(self, start: Start, ready: Ready, died: Callable[["Keeper", int, str], None], lost: Ready) -> None:
        self.rooms: dict[int, Room] = {}
        self._start = start
        self._ready = ready
        self._died = died
        self._lost = lost
        self._cage: Cage | None = None
        self._deaths = 0
        self._starting = asyncio.Lock()
        self._busy: dict[Room, None] = {}
        self._work = asyncio.Event()
        self._hurry = asyncio.Event()
        self._pause = GROUP_SECONDS

    async def started(self) -> Cage:
        """The process, started if it does not run."""
        async with self._starting:
            if self._cage is None:
                self._cage = await self._start()
            return self._cage

    async def load(self, room: Room, required: int, stored: list[bytes]) -> list[int]:
        """Make a room's Doc; the places of the stored updates that do not apply.

        Raises:
            CageBroken: the process died, of this or of something else.
            Unloadable: too much of it does not apply.
        """
        deaths = self._deaths
        [(did, found)] = wire.answers(await self._ask(wire.load(room.number, required, stored)))
        if did is not Did.DONE:
            raise Unloadable(f"{len(stored)} stored updates do not make a document")
        if deaths != self._deaths:
            raise CageBroken(0, "it died afterwards")
        self.rooms[room.number] = room
        return wire.read_numbers(found)

    def stir(self, room: Room) -> None:
        """This room has errands."""
        if room not in self._busy:
            self._busy[room] = None
            self._work.set()
        if room.impatient:
            self._hurry.set()

    async def forget(self, room: Room) -> None:
        """This room's Doc is not needed any more."""
        self._busy.pop(room, None)
        if self.rooms.pop(room.number, None) is not None and self._cage is not None:
            try:
                await self._ask([wire.errand(Do.DROP, room.number)])
            except CageBroken:
                log.warning("a keeper died while a room was closed")

    async def run(self) -> None:
        """Do errands for ever."""
        while True:
            await self._work.wait()
            timer = asyncio.get_running_loop().call_later(self._pause, self._hurry.set)
            await self._hurry.wait()
            timer.cancel()
            rooms = [room for room in self._busy if room.open]
            self._busy.clear()
            self._work.clear()
            self._hurry.clear()
            if rooms:
                await self._do(rooms)

    async def end(self) -> None:
        """End the process."""
        if self._cage is not None:
            await self._cage.ended()

    async def _do(self, rooms: list[Room]) -> None:
        asked = [(room, room.errands()) for room in rooms]
        request = [errands.write(room.number, errand) for room, some in asked for errand in some]
        work = sum(len(e.raws) if isinstance(e, errands.Apply) else 1 for _, some in asked for e in some)
        self._pause = min(max(GROUP_SECONDS, work * GROUP_SECONDS_PER_UPDATE), GROUP_SECONDS_AT_MOST)
        try:
            answers = wire.answers(await self._ask(request))
            if len(answers) != len(request):
                raise ProtocolError("not as many answers as errands")
        except CageBroken:
            return
        except ProtocolError as error:
            self._gone(0, str(error))
            return
        at = 0
        for room, some in asked:
            if not room.open:
                continue  # closed meanwhile
            if not room.answered(answers[at : at + len(some)]):
                self.rooms.pop(room.number, None)
                self._lost(room)
            else:
                self._ready(room)
            at += len(some)

    async def _ask(self, request: list[bytes]) -> bytes:
        cage = await self.started()
        try:
            return await cage.ask(request)
        except CageBroken as broken:
            if self._cage is cage:
                self._gone(broken.note, broken.reason)
            raise

    def _gone(self, note: int, reason: str) -> None:
        cage, self._cage = self._cage, None
        self._deaths += 1
        if cage is not None:
            cage.end()
        self._died(self, note, reason)


class Keepers:
    """All of them. `expel` closes a room that cannot be helped, `ready` is told of rooms whose edits were applied."""

    def __init__(self, settings: Settings, library: Library, metrics: Metrics, *, expel: Expel, ready: Ready) -> None:
        self._settings = settings
        self._library = library
        self._metrics = metrics
        self._expel = expel
        self._ready = ready
        self._ward = Keeper(self._start, ready, self._died, self._lost)
        some = max(settings.collab_keepers, 1)
        self._all = [Keeper(self._start, ready, self._died, self._lost) for _ in range(some)] + [self._ward]
        self._keeper_of: dict[Room, Keeper] = {}
        self._suspicions: dict[Room, Suspicion] = {}
        self._loads = asyncio.Semaphore(LOADS_AT_ONCE)
        self._reopening: dict[Room, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Do errands for ever."""
        await asyncio.gather(*(keeper.started() for keeper in self._all[:-1]))
        await asyncio.gather(*(keeper.run() for keeper in self._all))

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(keeper.end() for keeper in self._all))

    async def open(self, room: Room) -> None:
        """Load a room's document.

        Raises:
            DocumentGone, StateUnavailable, Unloadable, and whatever a store raises.
        """
        async with self._loads:
            await self._open(room)

    def stir(self, room: Room) -> None:
        """This room has errands: give them to its keeper, or find it a new one."""
        keeper = self._keeper_of.get(room)
        if keeper is None:
            return  # it is being opened
        if room.open:
            keeper.stir(room)
        elif room not in self._reopening:
            self._reopening[room] = self._later(self._reopen(room))

    def forget(self, room: Room) -> None:
        """This room is closed."""
        if (reopening := self._reopening.pop(room, None)) is not None:
            reopening.cancel()
        self._suspicions.pop(room, None)
        if (keeper := self._keeper_of.pop(room, None)) is not None:
            self._later(keeper.forget(room))

    # --- opening ---

    async def _open(self, room: Room) -> None:
        while True:
            loaded = await self._library.newest(room)
            if (suspicion := self._suspicions.get(room)) is not None:
                await self._look_into(room, loaded, suspicion)
            keeper = self._choose(room)
            try:
                places = await keeper.load(room, _required(loaded), loaded.updates)
            except CageBroken as broken:
                if broken.note == room.number:
                    places = await self._damaged(room, loaded)
                    await self._skip(room, loaded, places)
                continue
            self._keeper_of[room] = keeper
            room.limit = self._settings.max_document_bytes
            room.opened(loaded.seq, loaded.bytes_total)
            if places:
                await self._skip(room, loaded, places)
            return

    def _choose(self, room: Room) -> Keeper:
        if room in self._suspicions:
            return self._ward
        return min(self._all[:-1], key=lambda keeper: len(keeper.rooms))

    async def _damaged(self, room: Room, loaded: Loaded) -> list[int]:
        """What is stored kills keepers: the places of what is at fault."""
        self._suspicions.setdefault(room, Suspicion())
        found = sorted(await search(self._start, [], loaded.updates))
        if not found or found[0] < _required(loaded) or len(found) > SKIP_AT_MOST:
            raise Unloadable("what is stored cannot be applied")
        return found

    async def _skip(self, room: Room, loaded: Loaded, places: list[int]) -> None:
        """Put stored edits that do not apply where people see them; from then on they are not loaded."""
        self._metrics.skipped_total += len(places)
        log.error("stored edits do not apply", document_id=str(room.document_id), edits=len(places))
        await self._library.shelve(room, [(loaded.seqs[place], loaded.updates[place]) for place in places])

    async def _reopen(self, room: Room) -> None:
        try:
            async with self._loads:
                await self._open(room)
        except (*OUTAGES, StateUnavailable, DocumentGone, Unloadable, CageBroken) as error:
            log.error("room cannot be repaired", document_id=str(room.document_id), error=repr(error))
            self._reopening.pop(room, None)
            self._expel(room, Close.TRY_AGAIN, "document cannot be loaded now")
        else:
            self._reopening.pop(room, None)

    # --- what does not apply ---

    def _died(self, keeper: Keeper, note: int, reason: str) -> None:
        """A keeper is gone: its rooms need another one, those with errands at once."""
        self._metrics.keepers_died_total += 1
        log.error("a keeper died", reason=reason, rooms=len(keeper.rooms), at=note)
        rooms, keeper.rooms = keeper.rooms, {}
        for number, room in rooms.items():
            self._lose(room, guilty=number == note)

    def _lost(self, room: Room) -> None:
        """An update cost a room its Doc, and nothing else."""
        self._lose(room, guilty=True)

    def _lose(self, room: Room, *, guilty: bool) -> None:
        lost = room.lose()
        if guilty:
            suspicion = self._suspicions.setdefault(room, Suspicion())
            suspicion.strike(lost)
            if suspicion.strikes > STRIKES:
                self._expel(room, Close.TRY_AGAIN, "document cannot be kept open")
                return
        if guilty or room.busy:
            self.stir(room)

    async def _look_into(self, room: Room, loaded: Loaded, suspicion: Suspicion) -> None:
        """Find the edits that do not apply, and send away who made them."""
        if not suspicion.fresh:
            return
        bad, seats = await suspicion.judge(self._start, room, loaded.updates)
        suspicion.fresh = False
        room.drop(bad)
        self._metrics.quarantined_total += len(bad)
        log.warning("edits do not apply", document_id=str(room.document_id), edits=len(bad))
        for seat in [*seats, *(entry.seat for entry in bad)]:
            seat.line.hang_up(Close.MALFORMED, "update does not apply")
        self._ready(room)
        await self._library.quarantine(room, bad)

    async def _start(self) -> Cage:
        settings = self._settings
        cage = Cage(
            "models.yjs.keeper",
            memory=settings.collab_keeper_memory_mib * 1024 * 1024,
            patience=settings.collab_keeper_seconds,
        )
        return await cage.start()

    def _later(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _required(loaded: Loaded) -> int:
    """How many of the stored updates are a snapshot, without which it would not be the document."""
    return int(bool(loaded.seqs) and loaded.seqs[0] == 0)
