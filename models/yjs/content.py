"""What is in a document: a Doc, the updates that wait to be applied to it, and those that wait inside it.

Updates are applied many in one transaction, when somebody needs to know. One that pycrdt cannot stand costs the Doc:
it is thrown away unread, since reading it would crash the process. Some crash the process at once: this runs in a
keeper (models/yjs/keeper.py).
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import pycrdt

from models.lib0 import ProtocolError
from models.yjs import updates

Doc = pycrdt.Doc[Any]
Note = Callable[[int], None]

SKIP_AT_MOST: Final = 20
KNOWN_AT_MOST: Final = 16
LARGE: Final = 2_000
"""Letters, elements, entries: a document with fewer is soon written again."""
MOST: Final = 0.8
SEVERAL: Final = 100
"""Deletions that may be part of it; fewer at once are typing."""


class Lost(Exception):
    """An update cost the Doc; it has to be built anew."""


class Unusable(Exception):
    """So many of the stored updates do not apply that this is not the document."""


class Content:
    """A document's content. After `Lost` it must not be used any more."""

    __slots__ = ("_doc", "_known", "_waiting", "skipped")

    def __init__(self, stored: Sequence[bytes], required: int = 0) -> None:
        """The document that these updates make, in order.

        A stored update that does not apply is left out, unless it is among the first `required`: it did apply when it
        was accepted, but what applies depends on what was garbage by then. `skipped` says which.

        Raises:
            Unusable: too many of them do not.
        """
        self._doc, self.skipped = _build(stored, required)
        self._waiting = updates.waiting(stored, self._doc.get_state())
        self._known: set[bytes] = set()

    def apply(self, fresh: Sequence[bytes]) -> int | None:
        """Apply updates in one transaction; the place of the first that deletes most of a large document, if any does.

        Raises:
            Lost: something of it does not apply.
        """
        state = apply(self._doc, fresh)
        if state is None:
            raise Lost
        known: updates.Clocks | None = None
        self._waiting = updates.waiting(self._waiting, state) if self._waiting else []
        first, deleted = None, 0
        for place, raw in enumerate(fresh):
            rest = updates.left(raw, state)
            if rest == updates.NOTHING:
                continue
            if known is None:
                known = updates.clocks(state)
            if updates.unknown(rest, known):
                self._waiting.append(raw)
            elif (count := updates.count(updates.deletions(rest))) >= SEVERAL:
                first = place if first is None else first
                deleted += count
        if first is None:
            return None
        after = self._alive()
        return first if _most(after + deleted, after) else None

    def take(self, raw: bytes) -> bool:
        """Apply an update that repeats every deletion the document ever had; whether it deletes most of a large one.

        Raises:
            Lost: it does not apply.
        """
        before = self._alive()
        self.apply([raw])
        return _most(before, self._alive())

    def state(self) -> bytes:
        """The state vector."""
        return self._doc.get_state()

    def missing(self, state: bytes) -> bytes:
        """What somebody with this state vector lacks, with what waits here for a predecessor.

        Raises:
            ProtocolError: it is no state vector.
            Lost: asking for it cost the Doc.
        """
        try:
            found = self._doc.get_update(state)
        except ValueError:
            raise ProtocolError("not a state vector") from None
        except BaseException as error:
            if not updates.is_refusal(error):
                raise
            raise Lost from error
        return updates.merged_with(found, self._waiting)

    def has(self, raw: bytes) -> bool:
        """Whether an update brings nothing new. Every step 2 repeats all deletions, so these are compared."""
        if raw == updates.NOTHING or raw in self._waiting:
            return True
        rest = updates.left(raw, self.state())
        if rest == updates.NOTHING or rest in self._known:
            return True
        if rest[0] or not updates.covers(self._deletions(), updates.deletions(rest)):
            return False
        if len(self._known) < KNOWN_AT_MOST:
            self._known.add(rest)
        return True

    def _alive(self) -> int:
        """How much there is that was not deleted: letters, elements, entries."""
        return sum(updates.clocks(self.state()).values()) - updates.count(self._deletions())

    def _deletions(self) -> dict[int, updates.Ranges]:
        return updates.deletions(self._doc.get_update(self._doc.get_state()))


def _most(before: int, after: int) -> bool:
    return before >= LARGE and after <= before * (1 - MOST)


def apply(doc: Doc, batch: Sequence[bytes]) -> bytes | None:
    """Apply updates in one transaction; the state vector then, None if the Doc is lost."""
    try:
        return integrate(doc, batch)
    except BaseException as error:
        if not updates.is_refusal(error):
            raise
        return None


def integrate(doc: Doc, batch: Sequence[bytes]) -> bytes:
    """`Doc.apply_update` with each and `Doc.get_state`, but in one transaction: one for each takes as long again."""
    with doc.transaction() as transaction:
        native, within = doc._doc, transaction._txn
        assert within is not None
        for raw in batch:
            native.apply_update(within, raw)
        return native.get_state(within)


def culprits(stored: Sequence[bytes], suspects: Sequence[bytes], note: Note = lambda _: None) -> set[int]:
    """Which of the suspects, applied one after another to what is stored, do not apply.

    Before each is applied, `note` is told its place: it may be the last thing that happens.
    """
    found: set[int] = set()
    doc = _build(stored)[0]
    for number, raw in enumerate(suspects):
        note(number)
        if apply(doc, [raw]) is None:
            found.add(number)
            doc = _build([*stored, *_without(suspects[:number], found)])[0]
        doc.get_update(doc.get_state())
    return found


def _build(stored: Sequence[bytes], required: int = 0) -> tuple[Doc, set[int]]:
    doc: Doc = pycrdt.Doc()
    if apply(doc, stored) is not None:
        return doc, set()
    skipped: set[int] = set()
    while len(skipped) <= SKIP_AT_MOST:
        doc = pycrdt.Doc()
        for number, raw in enumerate(stored):
            if number not in skipped and apply(doc, [raw]) is None:
                if number < required:
                    raise Unusable
                skipped.add(number)
                break
        else:
            return doc, skipped
    raise Unusable


def _without(raws: Sequence[bytes], left_out: Collection[int]) -> list[bytes]:
    return [raw for number, raw in enumerate(raws) if number not in left_out]
