"""A document that is being edited: who sits there, what they say to each other, what is not saved yet (pure, no I/O).

An update is checked, relayed as it came, and put on two lists: one to be applied, one to be journaled. Its Doc is in
the hands of a keeper, a process of its own that may die of what it applies; what the room wants of it are `errands`.
What was not applied never reaches the journal. A room that lost its Doc is not `open` until the keeper has a new one,
made of the journal, to which everything unsaved is then applied again.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Final
from uuid import UUID

from collab import protocol
from collab.errands import Apply, Ask, Errand, Mark, Offer, Unsaved
from collab.presence import Presence
from collab.progress import Progress
from collab.protocol import Close
from collab.seat import Seat
from models.lib0 import ProtocolError
from models.yjs import updates, wire
from models.yjs.wire import Answer, Did

MAX_SIZE: Final = 64 * 1024 * 1024
_LOST: Final = Did.LOST  # Python 3.11 takes as long for the member of an enum as for a call

_numbers = count(1)


class NotAllowed(Exception):
    """This guest may not edit."""


class Full(Exception):
    """The edit does not fit; the message says into what."""


class Room:
    """One document in memory. `stir` is called when there are errands or unsaved edits."""

    def __init__(self, document_id: UUID, org_id: UUID, *, stir: Callable[["Room"], None]) -> None:
        self.number = next(_numbers)
        """What the keeper calls it."""
        self.size = 0
        """Bytes of the journal, with what is unsaved."""
        self.limit = MAX_SIZE
        self.org_full = False
        """Whether its organization has all the bytes it may have."""
        self.document_id = document_id
        self.org_id = org_id
        self.presence = Presence()
        self.progress = Progress()
        self.open = False
        """Whether a keeper has the Doc."""
        self.unsaved: list[Unsaved] = []
        self.saving: list[Unsaved] = []
        self.unsaved_bytes = 0
        self.uncertain = False
        """Whether a commit of the oldest unsaved edits may have happened unnoticed."""
        self.saving_after = 0
        """How far the journal was known when that commit began."""
        self._stir = stir
        self._errands: list[Errand] = []
        self._asked: list[Errand] = []
        self._newest: Ask | None = None
        """The last step 1, if nothing came since that is to be applied."""
        self._newest_answer: tuple[bytes, bytes] | None = None
        """What it lacked, and what this room has, kept for a moment: those who come back together ask the same."""
        self._marking: dict[Seat, bytes | None] = {}
        """Lagging seats of which is not known yet what they have been sent: at most what they asked from, if given."""
        self._audiences: dict[bytes, list[Seat]] = {}
        self.crowd = 0
        """How many sit here."""

    @property
    def empty(self) -> bool:
        """Whether nobody sits here."""
        return not self._audiences

    @property
    def seats(self) -> list[Seat]:
        """Everybody who sits here."""
        return [seat for audience in self._audiences.values() for seat in audience]

    @property
    def busy(self) -> bool:
        """Whether there are errands that were not given to the keeper yet."""
        return bool(self._errands)

    @property
    def impatient(self) -> bool:
        """Whether somebody waits for the answer to the newest errand."""
        return bool(self._errands) and isinstance(self._errands[-1], Ask)

    @property
    def ready(self) -> bool:
        """Whether the oldest unsaved edit may be journaled."""
        return bool(self.unsaved) and self.unsaved[0].ready

    # --- what clients say ---

    def join(self, seat: Seat) -> None:
        """Take a seat, and hear who is there."""
        self._audiences.setdefault(seat.address, []).append(seat)
        self.crowd += 1
        if everyone := self.presence.everyone():
            seat.say(protocol.awareness(everyone))

    def leave(self, seat: Seat, now: float) -> bytes:
        """Leave the seat; what to tell other nodes about presence."""
        audience = self._audiences[seat.address]
        audience.remove(seat)
        self.crowd -= 1
        if not audience:
            del self._audiences[seat.address]
        self._marking.pop(seat, None)
        return self._relay_presence(self.presence.leave(seat, now))

    def edit(self, seat: Seat, raw: bytes) -> None:
        """Take an edit: relay it at once, answer it when it is saved.

        Raises:
            NotAllowed: the guest only reads.
            Full: it does not fit.
            ProtocolError: this is no update.
        """
        if not seat.guest.may_write:
            raise NotAllowed
        if not updates.decodes(raw):
            raise ProtocolError("not an update")
        size = len(raw)
        if self.org_full or self.size + size > self.limit:
            raise Full(self._whole())
        self.size += size
        self.unsaved_bytes += size
        self._relay_edit(raw, seat)
        entry = Unsaved(raw, seat)
        errand, unsaved = self._applying(), self.unsaved
        known = bool(errand.raws and unsaved)  # that there is something to be applied, and something to be saved
        errand.raws.append(raw)
        errand.entries.append(entry)
        unsaved.append(entry)
        if not known:
            self._stir(self)

    def reply(self, seat: Seat, raw: bytes) -> None:
        """Take a step 2, with which a client answers a step 1: an edit if it brings news.

        Raises:
            ProtocolError: this is no update.
        """
        if not updates.decodes(raw):
            raise ProtocolError("not an update")
        if raw != updates.NOTHING:
            entry = Unsaved(raw, seat, offered=True, full=self.org_full or self.size + len(raw) > self.limit)
            self.unsaved.append(entry)
            self.unsaved_bytes += len(raw)
            self._errands.append(Offer(entry))
            self._stir(self)
        elif self.unsaved or self.saving:
            self.unsaved.append(Unsaved(None, seat, ready=True))
            self._stir(self)
        else:
            seat.saved()

    def ask(self, seat: Seat, state: bytes) -> None:
        """Take a step 1: answer what the client lacks, then ask for what this room lacks.

        Raises:
            ProtocolError: this is no state vector.
        """
        if not updates.plausible(state):
            raise ProtocolError("not a state vector")
        if seat.line.lagging:
            seat.seen = state
            self._marking.pop(seat, None)
        elif self._newest is not None and self._newest_answer is not None and self._newest.state == state:
            self._answer(seat, *self._newest_answer)
        else:
            self._newest, self._newest_answer = Ask(seat, state), None
            self._errands.append(self._newest)
            self._stir(self)

    def hear(self, seat: Seat, states: bytes, now: float) -> bytes:
        """Take presence; what to tell other nodes. The sender hears it too, or it would hang up."""
        user = seat.guest.user_id.bytes
        return self._relay_presence(self.presence.hear(states, owner=seat, user=user, now=now))

    def tell_presence(self, seat: Seat) -> None:
        """Answer a query for everybody's presence."""
        seat.say(protocol.awareness(self.presence.everyone() or b"\x00"))

    # --- what other processes say ---

    def edited(self, seq: int, raw: bytes) -> None:
        """Take an edit that is in the journal already."""
        if self.progress.note(seq):
            self.size += len(raw)
            self._applying().raws.append(raw)
            self._relay_edit(raw, None)
            self._stir(self)

    def heard(self, node: bytes, user: bytes, states: bytes, now: float) -> None:
        """Take presence from another node."""
        self._relay_presence(self.presence.hear_node(states, node=node, user=user, now=now))

    def expire(self, now: float) -> None:
        """Forget clients of other nodes that say nothing any more, and what was kept for a moment."""
        self._forget_answer()
        self._relay_presence(self.presence.expire(now))

    # --- slow readers ---

    def pause(self, seat: Seat) -> None:
        """Have noted what the client has been sent so far; until that is known, it counts as nothing."""
        seat.seen = b"\x00"
        if self.open:
            self._marking[seat] = None
            self._errands.append(Mark(seat))
            self._stir(self)

    def resume(self, seat: Seat) -> None:
        """Send at once everything the client has missed."""
        self._marking.pop(seat, None)
        self.ask(seat, seat.seen)
        self.tell_presence(seat)
        seat.pay()

    # --- the keeper ---

    def errands(self) -> list[Errand]:
        """What the keeper is to do now, in order; `answered` or `lose` follows."""
        self._asked, self._errands = self._errands, []
        return self._asked

    def answered(self, answers: Sequence[Answer]) -> bool:
        """What became of the errands. False if the Doc is lost: nothing was done from there on."""
        asked = self._asked
        for place, (errand, (did, body)) in enumerate(zip(asked, answers, strict=True)):
            if did is _LOST:
                self._asked = asked[place:]
                return False
            self._done(errand, did, body)
        self._asked = []
        return True

    def opened(self, seq: int, size: int = 0) -> None:
        """A keeper has the document as of `seq`, `size` bytes."""
        self.open = True
        decided = [entry.raw for entry in self.all_unsaved() if entry.raw is not None and not entry.offered]
        self.size = size + sum(map(len, decided))
        self.progress.covered(seq)
        if self._errands:
            self._stir(self)

    def lose(self) -> list[Errand]:
        """The keeper has lost the Doc: everything unsaved has to be applied again. What it was about to do."""
        lost, self._asked = self._asked, []
        self._forget_answer()
        if self.open:
            self.open = False
            rest = [errand for errand in (*lost, *self._errands) if isinstance(errand, Ask)]
            self._errands = [*self._unsaved_again(), *rest]
            # A new Doc cannot tell what was sent before it was made.
            for seat, asked in self._marking.items():
                seat.seen = asked or b"\x00"
            self._marking.clear()
        return lost

    def drop(self, bad: Sequence[Unsaved]) -> None:
        """These edits do not apply: they are not part of the document. Their senders have to go, with what followed."""
        gone = {id(entry.seat): self.unsaved.index(entry) for entry in reversed(bad)}
        self.unsaved = [e for n, e in enumerate(self.unsaved) if n < gone.get(id(e.seat), n + 1)]
        self._count()
        rest = [errand for errand in self._errands if isinstance(errand, Ask)]
        self._errands = [*self._unsaved_again(), *rest]

    # --- saving ---

    def take(self, limit: int) -> list[Unsaved]:
        """Begin to save the oldest edits that were applied; they are `saving` until `saved` or `give_back`."""
        if not self.uncertain:
            self.saving_after = self.progress.seq
        some = 0
        for entry in self.unsaved[:limit]:
            if not entry.ready:
                break
            some += 1
        self.saving, self.unsaved = self.unsaved[:some], self.unsaved[some:]
        return self.saving

    def give_back(self) -> None:
        """Saving failed: they are first in line again."""
        self.unsaved[:0] = self.saving
        self.saving = []

    def saved(self, seqs: list[int]) -> None:
        """What was taken is committed, those with an update under these seqs: tell the senders."""
        done, self.saving = self.saving, []
        self.uncertain = False
        self.progress.note_all(seqs)
        told: dict[Seat, int] = {}
        for entry in done:
            told[entry.seat] = told.get(entry.seat, 0) + 1
            if entry.raw is not None:
                self.unsaved_bytes -= len(entry.raw)
        for seat, messages in told.items():
            seat.saved(messages)

    def found_saved(self, found: dict[bytes, int]) -> None:
        """Of `unsaved`, these updates turned out to be in the journal, under these seqs."""
        self.uncertain = False
        for entry in self.unsaved:
            if entry.raw in found:
                self.progress.note(found[entry.raw])
                self.unsaved_bytes -= len(entry.raw)
                entry.raw = None

    def all_unsaved(self) -> list[Unsaved]:
        """What is not known to be in the journal, oldest first."""
        return self.saving + self.unsaved

    def _count(self) -> None:
        self.unsaved_bytes = sum(len(entry.raw) for entry in self.all_unsaved() if entry.raw is not None)

    def _applying(self) -> Apply:
        """The errand that the next update belongs to."""
        self._newest = self._newest_answer = None
        if self._errands and isinstance(last := self._errands[-1], Apply):
            return last
        self._errands.append(errand := Apply())
        return errand

    def _unsaved_again(self) -> list[Errand]:
        """What has to be done to a new Doc, which knows only the journal."""
        again: list[Errand] = []
        saving = [entry.raw for entry in self.saving if entry.raw is not None]
        if saving:
            again.append(Apply(saving, []))
        for entry in self.unsaved:
            if entry.offered:
                again.append(Offer(entry))
            elif entry.raw is not None:
                entry.ready = False
                if not (again and isinstance(again[-1], Apply)):
                    again.append(Apply())
                last = again[-1]
                assert isinstance(last, Apply)
                last.raws.append(entry.raw)
                last.entries.append(entry)
        return again

    def _done(self, errand: Errand, did: Did, body: bytes) -> None:
        if isinstance(errand, Apply):
            for entry in errand.entries:
                entry.ready = True
                entry.wipes = False
            if body:
                wiped = {id(errand.raws[place]) for place in wire.read_numbers(body) if place < len(errand.raws)}
                for entry in errand.entries:
                    entry.wipes = id(entry.raw) in wiped
        elif isinstance(errand, Offer):
            errand.entry.wipes = body == wire.WIPE
            self._decided(errand.entry, new=body != wire.YES)
        elif isinstance(errand, Mark):
            if errand.seat in self._marking:
                seen = self._marking.pop(errand.seat)
                errand.seat.seen = body if seen is None else seen
        elif did is Did.REFUSED:
            errand.seat.line.hang_up(Close.MALFORMED, "not a state vector")
        elif errand.seat.line.lagging:
            if self._marking.get(errand.seat, b"") is None:
                self._marking[errand.seat] = errand.state  # it will be sent this when it has caught up
        else:
            missing, own = wire.read_two(body)
            self._answer(errand.seat, missing, own)
            if errand is self._newest and self.crowd > 1:
                self._newest_answer = missing, own

    def _decided(self, entry: Unsaved, *, new: bool) -> None:
        entry.offered = False
        entry.ready = True
        raw = entry.raw
        if raw is None:
            return
        if not new or not entry.seat.guest.may_write or entry.full:
            entry.raw = None
            self.unsaved_bytes -= len(raw)
        else:
            self.size += len(raw)
        if new and entry.raw is None:
            self.unsaved.remove(entry)
            refuse(entry.seat, self._whole())
        elif new:
            self._forget_answer()
            self._relay_edit(raw, entry.seat)

    def _forget_answer(self) -> None:
        self._newest = self._newest_answer = None

    def _whole(self) -> str:
        return "organization is full" if self.org_full else "document is full"

    def _answer(self, seat: Seat, missing: bytes, own: bytes) -> None:
        seat.line.say(protocol.step2_frame(seat.address, missing))
        # A y-websocket client that only reads is not asked: whatever it has of its own could but be refused.
        if seat.guest.may_write or seat.address:
            seat.say(protocol.step1(own))

    def _relay_edit(self, raw: bytes, sender: Seat | None) -> None:
        for address, audience in self._audiences.items():
            frame = protocol.update_frame(address, raw)
            for seat in audience:
                if seat is not sender:
                    seat.line.write(frame)

    def _relay(self, body: bytes) -> None:
        for address, audience in self._audiences.items():
            frame = protocol.frame(address, body)
            for seat in audience:
                seat.line.write(frame)

    def _relay_presence(self, states: bytes) -> bytes:
        if states:
            self._relay(protocol.awareness(states))
        return states


def refuse(seat: Seat, why: str) -> None:
    """Somebody's edit is not taken: Hocuspocus clients that only read understand "not saved", others are stopped."""
    if seat.guest.may_write:
        seat.line.hang_up(Close.TOO_BIG, why)
    elif seat.address:
        seat.unsaved()
    else:
        seat.line.hang_up(Close.FORBIDDEN, "read only")
