"""The one writer of this process: groups what all rooms have unsaved into one commit after another.

A sender hears "saved" after its commit and not before. While Postgres fails or hangs, edits stay in memory up to a
bound, their senders hear "unsaved", and everything is written once Postgres is back. A commit whose outcome is unknown
is looked for in the journal before it is made again.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from collab.commit import AlreadySaved, Batch, append
from collab.errands import Unsaved
from collab.metrics import Metrics
from collab.protocol import Close
from collab.room import Room
from collab.seat import Seat
from infra.db import Database
from infra.logging import get_logger
from infra.waiting import within
from models.documents import DocumentFull, DocumentGone, Edit

log = get_logger(__name__)

MAX_UNSAVED_BYTES: Final = 64 * 1024 * 1024
EDITS_PER_COMMIT: Final = 4_000
EDITS_PER_ROOM: Final = 1_000
GROUP_SECONDS: Final = 0.001
"""What is ready within so long shares a commit; what is ready during a commit shares the next one anyway."""
GROUP_SECONDS_PER_EDIT: Final = 0.0001
GROUP_SECONDS_AT_MOST: Final = 0.02
"""Where much is written, commits are made less often: a commit costs as much as a hundred edits do."""
COMMIT_SECONDS: Final = 15.0
TELL_UNSAVED_AFTER: Final = 1.0
RETRY_SECONDS: Final[Sequence[float]] = (0.05, 0.2, 0.5, 1.0, 2.0)

Expel = Callable[[Room, Close, str], None]
Saved = Callable[[Room, list[int], list[Edit]], None]


class Writer:
    """Saves rooms. `expel` closes one that cannot be saved, `saved` tells."""

    def __init__(self, db: Database, metrics: Metrics, *, expel: Expel, saved: Saved) -> None:
        self._db = db
        self._metrics = metrics
        self._expel = expel
        self._saved = saved
        self._dirty: dict[Room, None] = {}
        self._saving = Batch()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._told: set[Seat] = set()
        self._one_by_one = False
        self._pause = GROUP_SECONDS
        self.full = False
        """Whether so much is unsaved that no more can be taken."""

    def mark(self, room: Room) -> None:
        """This room has something unsaved; it can be saved once it is `ready`."""
        if room not in self._dirty:
            self._dirty[room] = None
            self._idle.clear()

    def ready(self, room: Room) -> None:
        """What this room has unsaved was applied, or there is nothing any more."""
        if room in self._dirty:
            self._work.set()

    def forget(self, room: Room) -> None:
        """This room is no longer to be saved."""
        self._dirty.pop(room, None)

    async def drained(self) -> None:
        """Wait until nothing is unsaved."""
        await self._idle.wait()

    async def run(self) -> None:
        """Save for ever."""
        failures = 0
        while True:
            await self._work.wait()
            await asyncio.sleep(self._pause)
            try:
                await self._save_some()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("saving failed", error=str(error), attempt=failures + 1)
                self._metrics.commits_failed_total += 1
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                failures += 1
            else:
                failures = 0
            self._look()

    async def watch(self) -> None:
        """Tell everybody whose edits wait for long, whatever they wait for, once."""
        waiting: dict[Unsaved, float] = {}
        while True:
            await asyncio.sleep(TELL_UNSAVED_AFTER / 3)
            self._look()
            now, before, waiting = time.monotonic(), waiting, {}
            for room in self._unsaved_rooms():
                if entries := room.all_unsaved():
                    since = waiting[entries[0]] = before.get(entries[0], now)
                    if now - since > TELL_UNSAVED_AFTER:
                        self._tell_unsaved(entries)
            if all(now - since <= TELL_UNSAVED_AFTER for since in waiting.values()):
                self._told.clear()

    def _tell_unsaved(self, entries: list[Unsaved]) -> None:
        for seat in {entry.seat for entry in entries} - self._told:
            self._told.add(seat)
            seat.unsaved()

    async def _save_some(self) -> None:
        batch = self._take()
        if not batch.size:
            batch.saved([], self._saved)
            return
        self._saving = batch
        self._pause = min(max(GROUP_SECONDS, batch.size * GROUP_SECONDS_PER_EDIT), GROUP_SECONDS_AT_MOST)
        try:
            await self._commit(batch)
        finally:
            self._saving = Batch()

    def _take(self) -> Batch:
        batch = Batch()
        for room in [room for room in self._dirty if room.ready or not room.unsaved]:
            del self._dirty[room]
            batch.add(room, room.take(EDITS_PER_ROOM))
            if room.unsaved:
                self._dirty[room] = None  # behind the others
            if batch.size >= EDITS_PER_COMMIT or self._one_by_one:
                break
        return batch

    async def _commit(self, batch: Batch) -> None:
        try:
            began = time.monotonic()
            seqs = await within(COMMIT_SECONDS, append(self._db, batch))
        except AlreadySaved as already:
            self._give_back(batch)
            for room, found in already.found.items():
                room.found_saved(found)
        except DocumentGone as gone:
            self._give_back(batch)
            self._close(batch, gone.document_ids, Close.NOT_FOUND, "document is gone")
        except DocumentFull as full:
            self._give_back(batch)
            # Another process has filled it at this moment. Who comes back hears alone that an edit does not fit.
            self._close(batch, full.document_ids, Close.TRY_AGAIN, "document is full")
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            self._failed(batch, error)
        else:
            self._metrics.commits_total += 1
            self._metrics.commit_seconds.observe(time.monotonic() - began)
            self._metrics.edits_saved_total += len(seqs)
            self._one_by_one = False
            batch.saved(seqs, self._saved)

    def _failed(self, batch: Batch, error: Exception) -> None:
        self._give_back(batch)
        for room in batch.rooms:
            room.uncertain = True
        if not isinstance(error, DBAPIError) or isinstance(error, OperationalError | InterfaceError):
            raise error
        # Postgres is there and refuses this batch: find the room that it refuses, and let the others go on.
        self._one_by_one = True
        if len(batch.rooms) == 1:
            log.error("room cannot be saved", error=str(error))
            self._close(batch, {room.document_id for room in batch.rooms}, Close.TRY_AGAIN, "not saved")

    def _close(self, batch: Batch, document_ids: Collection[UUID], code: Close, reason: str) -> None:
        for room in batch.rooms:
            if room.document_id in document_ids:
                self._expel(room, code, reason)

    def _give_back(self, batch: Batch) -> None:
        batch.give_back()
        self._dirty = dict.fromkeys([*batch.rooms, *self._dirty])

    def _look(self) -> None:
        rooms = self._unsaved_rooms()
        self._metrics.unsaved_bytes = sum(room.unsaved_bytes for room in rooms)
        self.full = self._metrics.unsaved_bytes > MAX_UNSAVED_BYTES
        if not any(room.ready or not room.unsaved for room in rooms):
            self._work.clear()
        if not rooms:
            self._idle.set()

    def _unsaved_rooms(self) -> set[Room]:
        return {*self._dirty, *self._saving.rooms}
