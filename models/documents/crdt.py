"""Yjs documents as values: building, encoding and reverting them. No I/O.

Everything here that applies updates belongs on the deep stack (`infra.bigstack`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from pycrdt import Doc, Text, TransactionEvent, UndoManager, get_state, get_update, merge_updates

from infra.settings import get_settings
from models.errors import Invalid, TooLarge

YDoc = Doc[Any]

MERGE_AT_MOST = 100
"""`merge_updates` is superlinear: more at a time takes seconds."""

EMPTY_UPDATE = b"\x00\x00"


class MalformedUpdate(Invalid):
    """These bytes are not a Yjs v1 update."""


class UpdateTooLarge(TooLarge):
    """The update is larger than one update may be."""


class Poisoned(RuntimeError):
    """An update that decodes but does not apply."""

    def __init__(self, index: int, error: str) -> None:
        super().__init__(f"update {index} does not apply: {error}")
        self.index = index
        self.error = error


def check(payload: bytes) -> None:
    """That an update decodes and applies to an empty Doc.

    Raises:
        UpdateTooLarge: it is larger than `max_update_bytes`.
        MalformedUpdate: it does neither.
    """
    limit = get_settings().max_update_bytes
    if len(payload) > limit:
        raise UpdateTooLarge(f"The update has {len(payload)} bytes; at most {limit} are allowed.")
    try:
        get_state(payload)
        Doc().apply_update(payload)
    except BaseException as error:  # a Rust panic is no Exception
        _reraise_interrupt(error)
        raise MalformedUpdate() from error


def build(updates: Sequence[bytes]) -> YDoc:
    """A Doc with the updates applied in order.

    Raises:
        Poisoned: one of them does not apply; the Doc it was applied to is thrown away unread,
            since reading it after a panic crashes the process.
    """
    try:
        return _apply_all(Doc(), updates)
    except BaseException as error:
        _reraise_interrupt(error)
        raise _find_poison(updates) from error


def encode(doc: YDoc, updates: Sequence[bytes]) -> bytes:
    """The Doc, and whatever of the updates applied to it still waits in it, as one update."""
    merged = doc.get_update()
    pending = waiting(updates, doc)
    for start in range(0, len(pending), MERGE_AT_MOST):
        merged = merge_updates(merged, *pending[start : start + MERGE_AT_MOST])
    return merged


def waiting(updates: Sequence[bytes], doc: YDoc) -> list[bytes]:
    """Those updates of which the Doc, to which all were applied, has not integrated everything.

    An update whose predecessor has not arrived waits inside the Doc, and `Doc.get_update()` leaves
    it out: a snapshot made from the Doc alone would lose it.
    """
    state = doc.get_state()
    clocks = _clocks(state)
    return [update for update in updates if not _integrated(get_update(update, state), clocks)]


def revert(base: Sequence[bytes], later: Sequence[bytes]) -> bytes:
    """An update that turns the document of base + later into what it was after base.

    Made by undoing `later`, so it is an edit like any other: minimal, for every kind of root, and
    it merges with what others do meanwhile. Empty where nothing has to change.
    """
    doc = build(base)
    with doc.transaction():
        pass
    undo = UndoManager(scopes=[], capture_timeout_millis=2**40)
    undo.include_origin("later")
    for root in _root_names([*base, *later]):
        # A root has no type until it is cast; undoing works the same whatever it is cast to, and
        # the cast is not part of what the Doc encodes.
        undo.expand_scope(doc.get(root, type=Text))
    with doc.transaction(origin="later"):
        for update in later:
            doc.apply_update(update)

    def undo_all() -> None:
        while undo.can_undo():
            undo.undo()

    return change(doc, undo_all)


def change(doc: YDoc, edit: Callable[[], None]) -> bytes:
    """The update an edit of a Doc makes; EMPTY_UPDATE where nothing changes.

    Not `Doc.get_update(state)`: that repeats every deletion the document ever had.
    """
    updates: list[bytes] = []

    def collect(event: TransactionEvent) -> None:
        updates.append(event.update)

    subscription = doc.observe(collect)
    try:
        edit()
    finally:
        doc.unobserve(subscription)
    made = [update for update in updates if update != EMPTY_UPDATE]
    return merge_updates(*made) if made else EMPTY_UPDATE


def _root_names(updates: Sequence[bytes]) -> list[str]:
    return sorted(build(updates).keys())


def _apply_all(doc: YDoc, updates: Sequence[bytes]) -> YDoc:
    with doc.transaction():
        for update in updates:
            doc.apply_update(update)
    return doc


def _find_poison(updates: Sequence[bytes]) -> Poisoned:
    """Which of the updates it is: the shortest beginning of the sequence that does not apply."""
    low, high = 0, len(updates)
    reason = "unknown"
    while high - low > 1:
        middle = (low + high) // 2
        try:
            _apply_all(Doc(), updates[:middle])
        except BaseException as error:
            _reraise_interrupt(error)
            high, reason = middle, f"{type(error).__name__}: {error}"
        else:
            low = middle
    return Poisoned(high - 1, reason)


def _reraise_interrupt(error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt | SystemExit):
        raise error


def _integrated(rest: bytes, clocks: dict[int, int]) -> bool:
    """Whether nothing is left: no structs, and only deletions of structs that are there."""
    structs, at = _read_uint(rest, 0)
    if structs:
        return False
    clients, at = _read_uint(rest, at)
    for _ in range(clients):
        client, at = _read_uint(rest, at)
        ranges, at = _read_uint(rest, at)
        for _ in range(ranges):
            clock, at = _read_uint(rest, at)
            length, at = _read_uint(rest, at)
            if clock + length > clocks.get(client, 0):
                return False
    return True


def _clocks(state_vector: bytes) -> dict[int, int]:
    count, at = _read_uint(state_vector, 0)
    clocks = {}
    for _ in range(count):
        client, at = _read_uint(state_vector, at)
        clocks[client], at = _read_uint(state_vector, at)
    return clocks


def _read_uint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
