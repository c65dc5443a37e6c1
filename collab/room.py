"""A document that is being edited: who sits there, what they say to each other, what is not saved yet (pure, no I/O).

An update is checked, relayed as it came, and put on two lists: one to be applied, one to be journaled. It is applied
before each commit and before each answer that needs the Doc, so what does not apply never reaches the journal. If it
costs the Doc, the room is `broken` until `rebuild` has found the culprit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from collab import protocol
from collab.content import Content, Lost, culprits
from collab.presence import Presence
from collab.progress import Progress
from collab.protocol import Close
from collab.seat import Seat
from models.documents import updates
from models.lib0 import ProtocolError


class NotAllowed(Exception):
    """This guest may not edit."""


@dataclass(slots=True, eq=False)
class Unsaved:
    """An edit on its way to the journal, and who gets told."""

    raw: bytes | None
    """None: nothing to journal, only to be told once everything before it is saved."""
    seat: Seat


class Room:
    """One document in memory. `on_broken` is called when its Doc is lost."""

    def __init__(self, document_id: UUID, org_id: UUID, *, on_broken: Callable[["Room"], None]) -> None:
        self.document_id = document_id
        self.org_id = org_id
        self.presence = Presence()
        self.progress = Progress()
        self.unsaved: list[Unsaved] = []
        self.saving: list[Unsaved] = []
        self.unsaved_bytes = 0
        self.uncertain = False
        """Whether a commit of the oldest unsaved edits may have happened unnoticed."""
        self._on_broken = on_broken
        self._content: Content | None = None
        self._meanwhile: list[bytes] = []
        self._asking: dict[Seat, bytes] = {}
        self._audiences: dict[bytes, list[Seat]] = {}

    @property
    def broken(self) -> bool:
        """Whether there is no Doc (yet)."""
        return self._content is None

    @property
    def empty(self) -> bool:
        """Whether nobody sits here."""
        return not self._audiences

    @property
    def seats(self) -> list[Seat]:
        """Everybody who sits here."""
        return [seat for audience in self._audiences.values() for seat in audience]

    def load(self, seq: int, stored: list[bytes]) -> int:
        """Become the document as of `seq`; what came meanwhile stays. How many stored updates do not apply.

        Raises:
            Unusable: too many to call it this document.
        """
        self._content = content = Content(stored)
        meanwhile, self._meanwhile = self._meanwhile, []
        for raw in meanwhile:
            content.add(raw)
        self.progress.covered(seq)
        asking, self._asking = self._asking, {}
        for seat, state in asking.items():
            try:
                self.ask(seat, state)
            except ProtocolError as error:
                seat.line.hang_up(Close.MALFORMED, str(error))
        return len(content.skipped)

    # --- what clients say ---

    def join(self, seat: Seat) -> None:
        """Take a seat, and hear who is there."""
        self._audiences.setdefault(seat.address, []).append(seat)
        if everyone := self.presence.everyone():
            seat.say(protocol.awareness(everyone))

    def leave(self, seat: Seat, now: float) -> bytes:
        """Leave the seat; what to tell other nodes about presence."""
        audience = self._audiences[seat.address]
        audience.remove(seat)
        if not audience:
            del self._audiences[seat.address]
        self._asking.pop(seat, None)
        return self._relay_presence(self.presence.leave(seat, now))

    def edit(self, seat: Seat, raw: bytes) -> None:
        """Take an edit: relay it at once, answer it when it is saved.

        Raises:
            NotAllowed: the guest only reads.
            ProtocolError: this is no update.
        """
        if not seat.guest.may_write:
            raise NotAllowed
        if not updates.decodes(raw):
            raise ProtocolError("not an update")
        self._add(raw)
        self.unsaved.append(Unsaved(raw, seat))
        self.unsaved_bytes += len(raw)
        self._relay(protocol.update(raw), seat)

    def reply(self, seat: Seat, raw: bytes) -> None:
        """Take a step 2, with which a client answers a step 1: an edit if it brings news.

        Raises:
            NotAllowed, ProtocolError: as `edit`.
        """
        if not updates.decodes(raw):
            raise ProtocolError("not an update")
        if not self._has(raw):
            self.edit(seat, raw)
        elif self.unsaved or self.saving:
            # What it repeats may be on its way to the journal still.
            self.unsaved.append(Unsaved(None, seat))
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
        elif not self.settle() or self._content is None:
            self._asking[seat] = state
        else:
            self._answer(self._content, seat, state)

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
            self._add(raw)
            self._relay(protocol.update(raw), None)

    def heard(self, node: bytes, user: bytes, states: bytes, now: float) -> None:
        """Take presence from another node."""
        self._relay_presence(self.presence.hear_node(states, node=node, user=user, now=now))

    def expire(self, now: float) -> None:
        """Forget clients of other nodes that say nothing any more."""
        self._relay_presence(self.presence.expire(now))

    # --- slow readers ---

    def pause(self, seat: Seat) -> bool:
        """Note what the client has been sent so far; False if that cannot be known now."""
        if not self.settle() or self._content is None:
            return False
        seat.seen = self._content.state()
        return True

    def resume(self, seat: Seat) -> None:
        """Send at once everything the client has missed."""
        self.ask(seat, seat.seen)
        self.tell_presence(seat)
        seat.pay()

    # --- saving ---

    def settle(self) -> bool:
        """Apply everything, so that `unsaved` may be journaled; False while the room is broken."""
        if self._content is None:
            return False
        try:
            self._content.settle()
        except Lost:
            self._lose()
            return False
        return True

    def take(self, limit: int) -> list[Unsaved]:
        """Begin to save the oldest edits; they are `saving` until `saved` or `give_back`."""
        self.saving, self.unsaved = self.unsaved[:limit], self.unsaved[limit:]
        return self.saving

    def give_back(self) -> None:
        """Saving failed: they are first in line again."""
        self.unsaved[:0] = self.saving
        self.saving = []

    def saved(self, seqs: list[int]) -> None:
        """What was taken is committed, those with an update under these seqs: tell the senders."""
        done, self.saving = self.saving, []
        self.uncertain = False
        for seq in seqs:
            self.progress.note(seq)
        for entry in done:
            if entry.raw is not None:
                self.unsaved_bytes -= len(entry.raw)
            entry.seat.saved()

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

    def rebuild(self, seq: int, stored: list[bytes]) -> list[Unsaved]:
        """Replace a lost Doc, given the journal; the unsaved edits that do not apply are taken out and returned.

        Raises:
            Unusable: the journal itself does not apply.
        """
        edits = [entry for entry in self.unsaved if entry.raw is not None]
        raws = [entry.raw for entry in edits if entry.raw is not None]
        bad = [edits[number] for number in culprits(stored, raws)]
        self.unsaved = [entry for entry in self.unsaved if entry not in bad]
        good = [entry.raw for entry in self.unsaved if entry.raw is not None]
        self.unsaved_bytes = sum(map(len, good))
        tried = set(raws)
        self._meanwhile = [raw for raw in self._meanwhile if raw not in tried]
        self.load(seq, stored + good)
        return bad

    def _add(self, raw: bytes) -> None:
        if self._content is None:
            self._meanwhile.append(raw)
        else:
            self._content.add(raw)

    def _has(self, raw: bytes) -> bool:
        if self._content is None:
            return raw == updates.NOTHING
        try:
            return self._content.has(raw)
        except Lost:
            self._lose()
            return False

    def _answer(self, content: Content, seat: Seat, state: bytes) -> None:
        try:
            missing, own = content.missing(state), content.state()
        except Lost:
            self._lose()
            raise ProtocolError("not a state vector") from None
        seat.say(protocol.step2(missing))
        # A y-websocket client that only reads is not asked: whatever it has of its own could but be refused.
        if seat.guest.may_write or seat.address:
            seat.say(protocol.step1(own))

    def _lose(self) -> None:
        self._content = None
        self._on_broken(self)

    def _relay(self, body: bytes, sender: Seat | None) -> None:
        for address, audience in self._audiences.items():
            frame = protocol.frame(address, body)
            for seat in audience:
                if seat is not sender:
                    seat.line.write(frame)

    def _relay_presence(self, states: bytes) -> bytes:
        if states:
            self._relay(protocol.awareness(states), None)
        return states
