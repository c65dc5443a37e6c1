"""Questions about Yjs updates that must be asked before one is trusted (pure).

pycrdt may raise PanicException, a BaseException, for bytes it cannot stand. Here that is only another "no": none of
these questions touches a Doc. Deeply nested updates need a deep stack: see infra/bigstack.py.
"""

from collections.abc import Iterable, Sequence

import pycrdt

from models.lib0 import ProtocolError, read_varuint

Clocks = dict[int, int]
Ranges = list[tuple[int, int]]

NOTHING = b"\x00\x00"  # no structs, no deletions

MERGE_AT_MOST = 100
"""`merge_updates` is superlinear: more at a time takes seconds."""


def is_refusal(error: BaseException) -> bool:
    """Whether pycrdt would not or could not: a panic is no Exception, and its class cannot be imported."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def decodes(update: bytes) -> bool:
    """Whether these bytes are an update at all."""
    if not (update and update[0] < 0x80) and not plausible(update):  # most need not be asked about
        return False
    try:
        pycrdt.get_state(update)
    except BaseException as error:
        if not is_refusal(error):
            raise
        return False
    return True


def plausible(data: bytes) -> bool:
    """Whether an update or a state vector states no more clients than fit into it: pycrdt reserves memory for them."""
    if data and data[0] < 0x80:
        return True
    try:
        clients, pos = read_varuint(data, 0)
    except ProtocolError:
        return False
    return clients <= len(data) - pos


def left(update: bytes, state: bytes) -> bytes:
    """What of an update a Doc of this state has not: `NOTHING`, or structs, and always the update's deletions."""
    return pycrdt.get_update(update, state)


def waits(update: bytes, state: bytes, clocks: Clocks) -> bool:
    """Whether something of an update that was applied is still waiting for an edit that has not arrived.

    Such a rest is inside the Doc, but `Doc.get_update()` leaves it out. It shows as structs that the Doc's state does
    not cover, or as deletions of structs it does not know.
    """
    rest = left(update, state)
    return rest != NOTHING and unknown(rest, clocks)


def unknown(rest: bytes, clocks: Clocks) -> bool:
    """Whether what is `left` of an update, though it was applied, waits for an edit that has not arrived."""
    if rest[0]:
        return True
    return any(
        clock + length > clocks.get(client, 0) for client, ranges in deletions(rest).items() for clock, length in ranges
    )


def count(deleted: dict[int, Ranges]) -> int:
    """How many letters, elements, entries these deletions cover."""
    return sum(length for ranges in deleted.values() for _, length in ranges)


def waiting(candidates: Iterable[bytes], state: bytes) -> list[bytes]:
    """Those updates of which a Doc of this state, to which all were applied, has not integrated everything."""
    known = clocks(state)
    return [update for update in candidates if waits(update, state, known)]


def merged_with(update: bytes, pending: Sequence[bytes]) -> bytes:
    """An update a Doc gave, and what waits in that Doc, as one."""
    for start in range(0, len(pending), MERGE_AT_MOST):
        update = pycrdt.merge_updates(update, *pending[start : start + MERGE_AT_MOST])
    return update


def clocks(state: bytes) -> Clocks:
    """A state vector as a dict."""
    count, pos = read_varuint(state, 0)
    known = {}
    for _ in range(count):
        client, pos = read_varuint(state, pos)
        known[client], pos = read_varuint(state, pos)
    return known


def deletions(rest: bytes) -> dict[int, Ranges]:
    """The delete set of an update without structs, as (clock, length) by client."""
    structs, pos = read_varuint(rest, 0)
    if structs:
        raise ProtocolError("an update with structs")
    found: dict[int, Ranges] = {}
    count, pos = read_varuint(rest, pos)
    for _ in range(count):
        client, pos = read_varuint(rest, pos)
        ranges, pos = read_varuint(rest, pos)
        listed = found.setdefault(client, [])
        for _ in range(ranges):
            clock, pos = read_varuint(rest, pos)
            length, pos = read_varuint(rest, pos)
            listed.append((clock, length))
    return found


def covers(known: dict[int, Ranges], asked: dict[int, Ranges]) -> bool:
    """Whether every deletion that is asked for is among the known ones."""
    return all(_covers(merged(known.get(client, [])), merged(ranges)) for client, ranges in asked.items())


def merged(ranges: Ranges) -> Ranges:
    """The ranges in order, with neighbours joined."""
    joined: Ranges = []
    for clock, length in sorted(ranges):
        if joined and clock <= joined[-1][0] + joined[-1][1]:
            start = joined[-1][0]
            joined[-1] = (start, max(start + joined[-1][1], clock + length) - start)
        elif length:
            joined.append((clock, length))
    return joined


def _covers(known: Ranges, asked: Ranges) -> bool:
    at = 0
    for clock, length in asked:
        while at < len(known) and known[at][0] + known[at][1] < clock + length:
            at += 1
        if at == len(known) or known[at][0] > clock:
            return False
    return True
