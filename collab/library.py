"""Stored documents, as rooms need them: the newest state, the journal's tail, and the shelf for what does not apply."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from collab.commit import edit_of
from collab.errands import Unsaved
from collab.room import Room
from infra.db import Database
from infra.logging import get_logger
from infra.storage import ObjectStore
from infra.waiting import within
from models.documents import Edit, Loaded, history, journal, load

log = get_logger(__name__)

T = TypeVar("T")
Whose = TypeVar("Whose")

READ_SECONDS: Final = 15.0

OUTAGES = (SQLAlchemyError, OSError, TimeoutError)
"""What a store raises that does not answer, or not in time."""


class Library:
    """Reads and shelves on behalf of rooms, each in a transaction of the room's organization."""

    def __init__(self, db: Database, store: ObjectStore) -> None:
        self._db = db
        self._store = store

    async def newest(self, room: Room) -> Loaded:
        """What has to be applied to an empty Doc."""
        return await within(READ_SECONDS, _again(self._newest, room))

    async def tail(self, room: Room) -> list[journal.Entry]:
        """The journal after what the room has."""
        return await within(READ_SECONDS, _again(self._tail, room))

    async def ahead(self, rooms: Sequence[Room]) -> list[Room]:
        """Those of many rooms whose journal goes on after what they have: one question for all."""
        return await within(READ_SECONDS, _again(self._ahead, rooms))

    async def quarantine(self, room: Room, bad: list[Unsaved]) -> None:
        """Keep edits that do not apply where people can look at them."""
        try:
            await within(READ_SECONDS, self._quarantine(room, bad))
        except OUTAGES as error:
            log.error("quarantine failed", document_id=str(room.document_id), error=repr(error))

    async def shelve(self, room: Room, stored: Sequence[tuple[int, bytes]]) -> None:
        """Quarantine edits of the journal that do not apply any more: from now on they are not read."""
        try:
            await within(READ_SECONDS, self._shelve(room, stored))
        except OUTAGES as error:
            log.error("quarantine failed", document_id=str(room.document_id), error=repr(error))

    async def _newest(self, room: Room) -> Loaded:
        async with self._db.direct(org_ids=[room.org_id]) as session:
            return await load(session, self._store, room.document_id)

    async def _tail(self, room: Room) -> list[journal.Entry]:
        async with self._db.transaction(org_ids=[room.org_id]) as session:
            return await history.entries(session, self._store, room.document_id, after=room.progress.seq)

    async def _ahead(self, rooms: Sequence[Room]) -> list[Room]:
        async with self._db.direct(org_ids={room.org_id for room in rooms}) as session:
            seqs = await journal.seqs(session, [room.document_id for room in rooms])
        return [room for room in rooms if seqs.get(room.document_id, 0) > room.progress.seq]

    async def _quarantine(self, room: Room, bad: list[Unsaved]) -> None:
        async with self._db.transaction(org_ids=[room.org_id]) as session:
            for entry in bad:
                if entry.raw is not None:
                    await journal.quarantine(session, edit_of(room, entry, entry.raw), error="does not apply")

    async def _shelve(self, room: Room, stored: Sequence[tuple[int, bytes]]) -> None:
        async with self._db.transaction(org_ids=[room.org_id]) as session:
            for seq, raw in stored:
                edit = Edit(room.org_id, room.document_id, raw, None, None, "load")
                await journal.quarantine(session, edit, error="does not apply any more", seq=seq)


async def _again(read: Callable[[Whose], Awaitable[T]], whose: Whose) -> T:
    """Read, and once more if that fails: a connection from the pool may be older than the server."""
    try:
        return await read(whose)
    except OUTAGES:
        return await read(whose)
