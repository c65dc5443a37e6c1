"""How errands are written to a keeper (models/yjs/keeper.py), and its answers back (pure).

The keeper may have been taken over by what it was fed: its answers are read like a stranger's.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from struct import Struct, error, pack, unpack_from
from typing import Final

from models.lib0 import ProtocolError

_ERRAND: Final = Struct("!BQI")
_ANSWER: Final = Struct("!BI")
_COUNT: Final = Struct("!I")


class Do(IntEnum):
    """What a keeper does for a document."""

    LOAD = 1
    """count of updates that must apply, updates → places of those that do not apply"""
    APPLY = 2
    """updates → nothing, or the place of one that deletes most of the document"""
    OFFER = 3
    """whether to take it, an update → whether it brought nothing new"""
    DIFF = 4
    """state vector → what it lacks, and the document's own"""
    STATE = 5
    """→ state vector"""
    DROP = 6
    SEARCH = 7
    """stored updates, suspects → places of the suspects that do not apply"""


class Did(IntEnum):
    """What became of an errand."""

    DONE = 0
    LOST = 1
    """The document's Doc is gone: something did not apply."""
    REFUSED = 2
    """What was asked makes no sense."""


_DOES: Final = {int(do): do for do in Do}
_DIDS: Final = {int(did): did for did in Did}

Errand = tuple[Do, int, bytes]
"""What to do, for which document, with what."""
Answer = tuple[Did, bytes]

TAKE: Final = b"\x01"
LOOK: Final = b"\x00"
YES: Final = b"\x01"
NO: Final = b"\x00"
WIPE: Final = b"\x02"
"""It was new, and has deleted most of the document."""


def errand(do: Do, document: int, body: bytes = b"") -> bytes:
    """One errand of a request."""
    return _ERRAND.pack(do, document, len(body)) + body


def load(document: int, required: int, stored: Sequence[bytes]) -> list[bytes]:
    """The errand to load a document, in parts: it may be large."""
    sizes = pack(f"!{len(stored) + 1}I", len(stored), *map(len, stored))
    size = 1 + len(sizes) + sum(map(len, stored))
    return [_ERRAND.pack(Do.LOAD, document, size), bytes((required,)), sizes, *stored]


def errands(request: bytes) -> Iterator[Errand]:
    """The errands of a request."""
    at = 0
    while at < len(request):
        do, document, size = _ERRAND.unpack_from(request, at)
        at += _ERRAND.size
        yield _DOES[do], document, request[at : at + size]
        at += size


def answer(did: Did, body: bytes = b"") -> bytes:
    """The answer to one errand."""
    return _ANSWER.pack(did, len(body)) + body


def answers(reply: bytes) -> list[Answer]:
    """The answers in a reply, in the order of the errands.

    Raises:
        ProtocolError: this is no reply.
    """
    found, at = [], 0
    try:
        while at < len(reply):
            did, size = _ANSWER.unpack_from(reply, at)
            at += _ANSWER.size
            if at + size > len(reply):
                raise ProtocolError("a reply that ends too early")
            found.append((_DIDS[did], reply[at : at + size]))
            at += size
    except (error, KeyError):
        raise ProtocolError("not a reply") from None
    return found


def several(raws: Sequence[bytes]) -> bytes:
    """Byte strings as one."""
    count = len(raws)
    return pack(f"!{count + 1}I", count, *map(len, raws)) + b"".join(raws)


def read_several(data: bytes, at: int = 0) -> tuple[list[bytes], int]:
    """The byte strings at a place, and where the next thing begins."""
    try:
        (count,) = _COUNT.unpack_from(data, at)
        at += _COUNT.size
        if count * _COUNT.size > len(data) - at:
            raise ProtocolError("more lengths than there is room for")
        sizes = unpack_from(f"!{count}I", data, at)
    except error:
        raise ProtocolError("ends too early") from None
    at += count * _COUNT.size
    found = []
    for size in sizes:
        found.append(data[at : at + size])
        at += size
    if at > len(data):
        raise ProtocolError("ends too early")
    return found, at


def numbers(some: Sequence[int]) -> bytes:
    """Small integers as bytes."""
    return pack(f"!{len(some)}I", *some)


def read_numbers(data: bytes) -> list[int]:
    """The integers in there."""
    if len(data) % _COUNT.size:
        raise ProtocolError("not numbers")
    return list(unpack_from(f"!{len(data) // _COUNT.size}I", data))


def two(first: bytes, second: bytes) -> bytes:
    """A pair of byte strings."""
    return several((first, second))


def read_two(data: bytes) -> tuple[bytes, bytes]:
    """The pair."""
    found, _ = read_several(data)
    if len(found) != 2:
        raise ProtocolError("not a pair")
    return found[0], found[1]
