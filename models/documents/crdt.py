"""Yjs documents as values: building, encoding and reverting them. No I/O.

Everything here that applies updates belongs into `bigstack.run`: some updates end the process that applies them.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from pycrdt import Doc, Text, TransactionEvent, UndoManager, merge_updates

from infra import bigstack
from infra.bigstack import Poisoned
from infra.settings import get_settings
from models.errors import Invalid, TooLarge
from models.yjs import checking, updates

YDoc = Doc[Any]
TRACKED = "tracked"
"""The origin of what will be undone."""

__all__ = [
    "MalformedUpdate",
    "Poisoned",
    "UpdateTooLarge",
    "YDoc",
    "build",
    "change",
    "check",
    "difference",
    "encode",
    "revert",
]


class MalformedUpdate(Invalid):
    """These bytes are not a Yjs v1 update."""


class UpdateTooLarge(TooLarge):
    """The update is larger than one update may be."""


async def check(payload: bytes) -> None:
    """That an update decodes and applies to an empty Doc, found out by a process that may die of it.

    Raises:
        UpdateTooLarge: it is larger than `max_update_bytes`.
        MalformedUpdate: it does neither.
    """
    limit = get_settings().max_update_bytes
    if len(payload) > limit:
        raise UpdateTooLarge(f"The update has {len(payload)} bytes; at most {limit} are allowed.")
    if not updates.decodes(payload) or not await checking.applies(payload):
        raise MalformedUpdate()


def build(sequence: Sequence[bytes]) -> YDoc:
    """A Doc with a sequence of updates applied in order.

    Raises:
        Poisoned: one of them does not apply; the Doc it was applied to is thrown away unread,
            since reading it after a panic crashes the process.
    """
    try:
        return _apply_all(Doc(), sequence)
    except BaseException as error:
        if not updates.is_refusal(error):
            raise
        raise _find_poison(sequence) from error


def encode(doc: YDoc, applied: Sequence[bytes]) -> bytes:
    """The Doc, and whatever of the updates applied to it still waits in it, as one update.

    An update whose predecessor has not arrived waits inside the Doc, and `Doc.get_update()` leaves
    it out: a snapshot made from the Doc alone would lose it.
    """
    return updates.merged_with(doc.get_update(), updates.waiting(applied, doc.get_state()))


def same_clocks(one: YDoc, other: YDoc) -> bool:
    """Whether two Docs have integrated as much of each client; their state vectors may name them in another order."""
    return updates.clocks(one.get_state()) == updates.clocks(other.get_state())


def difference(update: bytes, state_vector: bytes) -> bytes:
    """What of an update somebody with this state vector lacks.

    Raises:
        Invalid: it is no state vector.
    """
    try:
        if updates.plausible(state_vector):
            return updates.left(update, state_vector)
    except BaseException as error:
        if not updates.is_refusal(error):
            raise
    raise Invalid("The state vector is malformed.")


def revert(base: Sequence[bytes], later: Sequence[bytes]) -> bytes:
    """An update that turns the document of base + later into what it was after base.

    Made by undoing `later`, so it is an edit like any other: minimal, for every kind of root, and
    it merges with what others do meanwhile. Empty where nothing has to change.
    """
    return undone(base, [(update, True) for update in later])


def undone(base: Sequence[bytes], later: Sequence[tuple[bytes, bool]]) -> bytes:
    """An update that takes back those of the later updates that are marked, and leaves the others.

    A root has no type until it is cast; undoing works the same whatever it is cast to, and the cast is
    not part of what the Doc encodes. A root that is only in the later updates has to be known before they
    are applied, so where there is one, this is done twice.
    """
    doc, undo = _prepared(base, set())
    before = set(doc.keys())
    _replay(doc, later)
    if new := set(doc.keys()) - before:
        doc, undo = _prepared(base, before | new)
        _replay(doc, later)

    def undo_all() -> None:
        while undo.can_undo():
            undo.undo()

    return change(doc, undo_all)


def _prepared(base: Sequence[bytes], roots: set[str]) -> tuple[YDoc, UndoManager]:
    """The document of base, and what will undo the tracked changes of its roots and of these."""
    doc = build(base)
    undo = UndoManager(scopes=[], capture_timeout_millis=2**40)
    undo.include_origin(TRACKED)
    for root in sorted(roots | set(doc.keys())):
        undo.expand_scope(doc.get(root, type=Text))
    return doc, undo


def _replay(doc: YDoc, later: Sequence[tuple[bytes, bool]]) -> None:
    for tracked, group in groupby(later, lambda pair: pair[1]):
        with doc.transaction(origin=TRACKED if tracked else "others"):
            for update, _ in group:
                doc.apply_update(update)


def change(doc: YDoc, edit: Callable[[], None]) -> bytes:
    """The update an edit of a Doc makes; `updates.NOTHING` where nothing changes.

    Not `Doc.get_update(state)`: that repeats every deletion the document ever had.
    """
    heard: list[bytes] = []

    def collect(event: TransactionEvent) -> None:
        heard.append(event.update)

    subscription = doc.observe(collect)
    try:
        edit()
    finally:
        doc.unobserve(subscription)
    made = [update for update in heard if update != updates.NOTHING]
    return merge_updates(*made) if made else updates.NOTHING


def _apply_all(doc: YDoc, sequence: Sequence[bytes]) -> YDoc:
    with doc.transaction():
        for index, update in enumerate(sequence):
            bigstack.note(index)
            doc.apply_update(update)
    bigstack.note(-1)
    return doc


def _find_poison(sequence: Sequence[bytes]) -> Poisoned:
    """Which of the updates it is: the shortest beginning of the sequence that does not apply."""
    low, high = 0, len(sequence)
    reason = "unknown"
    while high - low > 1:
        middle = (low + high) // 2
        try:
            _apply_all(Doc(), sequence[:middle])
        except BaseException as error:
            if not updates.is_refusal(error):
                raise
            high, reason = middle, f"{type(error).__name__}: {error}"
        else:
            low = middle
    return Poisoned(high - 1, reason)
