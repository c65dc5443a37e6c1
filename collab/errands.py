"""What a room wants of its keeper, which has the document's Doc in a process of its own (pure).

Errands of a room are done in order, many at a time, and what becomes of them is told to the room.
"""

from dataclasses import dataclass, field
from typing import Final

from collab.seat import Seat
from models.yjs import wire
from models.yjs.wire import Do


class Unsaved:
    """An edit on its way to the journal, and who gets told. (Compiled, a dataclass takes much longer to make.)"""

    __slots__ = ("full", "offered", "raw", "ready", "seat", "wipes")

    def __init__(
        self, raw: bytes | None, seat: Seat, *, ready: bool = False, offered: bool = False, full: bool = False
    ) -> None:
        self.raw = raw
        """None: nothing to journal, only to be told once everything before it is saved."""
        self.seat = seat
        self.ready = ready
        """Whether it was applied: nothing else may be journaled."""
        self.offered = offered
        """A step 2, of which nobody knows yet whether it brings anything new."""
        self.full = full
        """A step 2 that does not fit into the document, if it brings anything new."""
        self.wipes = False
        """It deletes most of a large document: what was before it is kept as a revision."""


@dataclass(slots=True, eq=False)
class Apply:
    """Apply updates: those of sockets here, and what is in the journal already."""

    raws: list[bytes] = field(default_factory=list)
    entries: list[Unsaved] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Offer:
    """Apply a step 2 if it brings something new."""

    entry: Unsaved


@dataclass(slots=True, eq=False)
class Ask:
    """Tell a seat what somebody with this state vector lacks."""

    seat: Seat
    state: bytes


@dataclass(slots=True, eq=False)
class Mark:
    """Note what a seat whose line lags has been sent so far."""

    seat: Seat


Errand = Apply | Offer | Ask | Mark
_APPLY: Final = Do.APPLY  # Python 3.11 takes as long for the member of an enum as for a call


def write(number: int, errand: Errand) -> bytes:
    """The errand of a room as the keeper reads it."""
    if isinstance(errand, Apply):
        return wire.errand(_APPLY, number, wire.several(errand.raws))
    if isinstance(errand, Offer):
        entry = errand.entry
        take = wire.TAKE if entry.seat.guest.may_write and not entry.full else wire.LOOK
        return wire.errand(Do.OFFER, number, take + (entry.raw or b""))
    if isinstance(errand, Ask):
        return wire.errand(Do.DIFF, number, errand.state)
    return wire.errand(Do.STATE, number)
