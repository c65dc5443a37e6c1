"""One commit: edits of many rooms, appended to the journal in one transaction."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from collab.errands import Unsaved
from collab.room import Room
from infra.db import Database
from models.documents import Edit, journal

T = TypeVar("T")

_abandoned: set[asyncio.Task[Any]] = set()


class AlreadySaved(Exception):
    """A commit that seemed to have failed had happened: these updates are in the journal, by room."""

    def __init__(self, found: dict[Room, dict[bytes, int]]) -> None:
        super().__init__(f"{sum(map(len, found.values()))} updates were saved already")
        self.found = found


class Batch:
    """What is saved together: the oldest edits of some rooms."""

    def __init__(self) -> None:
        self.rooms: dict[Room, list[Edit]] = {}
        self.size = 0

    def add(self, room: Room, entries: list[Unsaved]) -> None:
        """Add what was taken from a room."""
        edits = [edit_of(room, entry, entry.raw) for entry in entries if entry.raw is not None]
        self.rooms[room] = edits
        self.size += len(edits)

    @property
    def edits(self) -> list[Edit]:
        """All edits, room by room."""
        return [edit for edits in self.rooms.values() for edit in edits]

    def saved(self, seqs: list[int], tell: Callable[[Room, int, bytes], None]) -> None:
        """They are committed under these seqs: tell the rooms, and each edit to `tell`."""
        at = 0
        for room, edits in self.rooms.items():
            own = seqs[at : at + len(edits)]
            room.saved(own)
            for edit, seq in zip(edits, own, strict=True):
                tell(room, seq, edit.payload)
            at += len(edits)

    def give_back(self) -> None:
        """They are not committed: the rooms have them again."""
        for room in self.rooms:
            room.give_back()


async def append(db: Database, batch: Batch) -> list[int]:
    """Commit a batch; the seq of each edit.

    Raises:
        AlreadySaved: an earlier attempt has succeeded after all; nothing was committed now.
    """
    async with db.transaction(org_ids={room.org_id for room in batch.rooms}) as session:
        seqs = await journal.append(session, batch.edits)
        await _refuse_twice(session, batch, seqs)
    return seqs


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, or TimeoutError. Work that hangs is cancelled and not waited for: that may hang too."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        _abandoned.add(task)
        task.add_done_callback(_forget)
        task.cancel()
        raise TimeoutError(f"no answer within {seconds} s")
    return task.result()


def _forget(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # or asyncio complains that nobody looked


async def _refuse_twice(session: AsyncSession, batch: Batch, seqs: list[int]) -> None:
    """The streams are locked now, so a commit that was under way is either in the journal or never will be."""
    found: dict[Room, dict[bytes, int]] = {}
    at = 0
    for room, edits in batch.rooms.items():
        if room.uncertain and edits:
            raws = {edit.payload for edit in edits}
            entries = await journal.tail(session, room.document_id, after=room.progress.seq, upto=seqs[at] - 1)
            if saved := {entry.payload: entry.seq for entry in entries if entry.payload in raws}:
                found[room] = saved
        at += len(edits)
    if found:
        raise AlreadySaved(found)


def edit_of(room: Room, entry: Unsaved, raw: bytes) -> Edit:
    """The line in the journal for an edit of a socket."""
    guest = entry.seat.guest
    return Edit(room.org_id, room.document_id, raw, guest.author_id, guest.session_id, guest.origin)
