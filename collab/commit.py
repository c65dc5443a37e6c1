"""One commit: edits of many rooms, appended to the journal in one transaction."""

from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from collab.errands import Unsaved
from collab.room import Room
from infra import tracing
from infra.db import Database
from infra.logging import get_logger
from models import revisions
from models.documents import Edit, journal
from models.errors import DoxieError

log = get_logger(__name__)


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
        self.wipes: list[Edit] = []
        """Those that delete most of a large document."""

    def add(self, room: Room, entries: list[Unsaved]) -> None:
        """Add what was taken from a room."""
        self.rooms[room] = edits = [edit_of(room, entry, raw) for entry in entries if (raw := entry.raw) is not None]
        if True in [entry.wipes for entry in entries]:
            saved = [entry for entry in entries if entry.raw is not None]
            self.wipes += [edit for edit, entry in zip(edits, saved, strict=True) if entry.wipes]
        self.size += len(edits)

    @property
    def edits(self) -> list[Edit]:
        """All edits, room by room."""
        return [edit for edits in self.rooms.values() for edit in edits]

    def saved(self, seqs: list[int], tell: Callable[[Room, list[int], list[Edit]], None]) -> None:
        """They are committed under these seqs: tell the rooms, and `tell` which edits of a room have which seqs."""
        at = 0
        for room, edits in self.rooms.items():
            own = seqs[at : at + len(edits)]
            room.saved(own)
            tell(room, own, edits)
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
    with tracing.span("commit edits") as span:
        seqs = await _append(db, batch)
        span.note(edits=batch.size, documents=len(batch.rooms))
    return seqs


async def _append(db: Database, batch: Batch) -> list[int]:
    org_ids = {room.org_id for room in batch.rooms}
    if not batch.wipes and not any(room.uncertain for room in batch.rooms):
        async with db.direct(org_ids=org_ids) as direct:
            return await journal.append(direct, batch.edits)
    async with db.transaction(org_ids=org_ids) as session:
        edits = batch.edits
        wiped = sorted({edit.document_id for edit in batch.wipes})
        for document_id in wiped:  # a document is locked before its journal, everywhere
            await revisions.hold(session, document_id)
        seqs = await journal.append(session, edits)
        await _refuse_twice(session, batch, seqs)
        for edit, seq in zip(edits, seqs, strict=True) if wiped else ():
            if any(edit is wipe for wipe in batch.wipes):
                await _keep_before(session, edit, seq)
    return seqs


async def _keep_before(session: AsyncSession, edit: Edit, seq: int) -> None:
    """Keep what a document was before an edit; that must not be what edits are not saved for."""
    try:
        async with session.begin_nested():
            await revisions.keep_before(session, edit, seq)
    except (SQLAlchemyError, DoxieError, ValueError, LookupError) as error:
        log.error("a revision could not be kept", document_id=str(edit.document_id), seq=seq, error=repr(error))


async def _refuse_twice(session: AsyncSession, batch: Batch, seqs: list[int]) -> None:
    """The streams are locked now, so a commit that was under way is either in the journal or never will be."""
    found: dict[Room, dict[bytes, int]] = {}
    at = 0
    for room, edits in batch.rooms.items():
        if room.uncertain and edits:
            raws = {edit.payload for edit in edits}
            # An uncertain commit is of a moment ago: nothing of it can be archived.
            after = room.saving_after  # and not of `progress`: that commit may have been read since
            entries = await journal.tail(session, room.document_id, after=after, upto=seqs[at] - 1, whole=False)
            if saved := {entry.payload: entry.seq for entry in entries if entry.payload in raws}:
                found[room] = saved
        at += len(edits)
    if found:
        raise AlreadySaved(found)


def edit_of(room: Room, entry: Unsaved, raw: bytes) -> Edit:
    """The line in the journal for an edit of a socket."""
    # `Edit(…)` does the same, and takes three times as long.
    return tuple.__new__(Edit, (room.org_id, room.document_id, raw, *entry.seat.guest.author))
