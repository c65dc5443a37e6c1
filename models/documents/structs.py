"""What is in a Yjs v1 update, struct by struct: whose client it is from, which clocks it takes, and whether it is text.

The library tells neither. For updates that were applied before: bytes that end too early raise ProtocolError, and no
length that they state is used to allocate.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from models.lib0 import ProtocolError, read_bytes, read_string, read_varuint

ORIGIN, RIGHT_ORIGIN, PARENT_SUB = 0x80, 0x40, 0x20
GC, SKIP = 0, 10
STRING = 4
TYPES_WITH_NAME = frozenset({3, 5})  # elements and hooks
KNOWN_TYPES = 7


class Struct(NamedTuple):
    """Clocks `clock` to `clock + length - 1` of a client."""

    client: int
    clock: int
    length: int
    is_text: bool
    """Characters, each of which takes as many clocks as it has UTF-16 code units."""


def structs(update: bytes) -> Iterator[Struct]:
    """The structs of an update, by client and clock; without gaps that an update may have (skips)."""
    clients, pos = read_varuint(update, 0)
    for _ in range(clients):
        count, pos = read_varuint(update, pos)
        client, pos = read_varuint(update, pos)
        clock, pos = read_varuint(update, pos)
        for _ in range(count):
            if pos >= len(update):
                raise ProtocolError("update ends before its structs")
            info, pos = update[pos], pos + 1
            ref = info & 0x1F
            length, pos = read_varuint(update, pos) if ref in (GC, SKIP) else _item(update, pos, info)
            if ref != SKIP:
                yield Struct(client, clock, length, ref == STRING)
            clock += length


def _item(data: bytes, pos: int, info: int) -> tuple[int, int]:
    if info & ORIGIN:
        pos = _skip_id(data, pos)
    if info & RIGHT_ORIGIN:
        pos = _skip_id(data, pos)
    if not info & (ORIGIN | RIGHT_ORIGIN):
        is_root, pos = read_varuint(data, pos)
        pos = _skip_bytes(data, pos) if is_root == 1 else _skip_id(data, pos)
        if info & PARENT_SUB:
            pos = _skip_bytes(data, pos)
    try:
        return CONTENT[info & 0x1F](data, pos)
    except KeyError:
        raise ProtocolError(f"content of an unknown kind, {info & 0x1F}") from None


def _skip_id(data: bytes, pos: int) -> int:
    return read_varuint(data, read_varuint(data, pos)[1])[1]


def _skip_bytes(data: bytes, pos: int) -> int:
    length, pos = read_varuint(data, pos)
    return pos + length


def _deleted(data: bytes, pos: int) -> tuple[int, int]:
    return read_varuint(data, pos)


def _json(data: bytes, pos: int) -> tuple[int, int]:
    count, pos = read_varuint(data, pos)
    for _ in range(_plausible(count, data)):
        pos = _skip_bytes(data, pos)
    return count, pos


def _one(data: bytes, pos: int) -> tuple[int, int]:
    return 1, _skip_bytes(data, pos)


def _string(data: bytes, pos: int) -> tuple[int, int]:
    raw, end = read_bytes(data, pos)
    if raw.isascii():
        return len(raw), end
    text, end = read_string(data, pos)
    return len(text.encode("utf-16-le")) // 2, end


def _format(data: bytes, pos: int) -> tuple[int, int]:
    return 1, _skip_bytes(data, _skip_bytes(data, pos))


def _type(data: bytes, pos: int) -> tuple[int, int]:
    kind, pos = read_varuint(data, pos)
    if kind >= KNOWN_TYPES:
        raise ProtocolError(f"a type of an unknown kind, {kind}")
    return 1, _skip_bytes(data, pos) if kind in TYPES_WITH_NAME else pos


def _anything(data: bytes, pos: int) -> tuple[int, int]:
    count, pos = read_varuint(data, pos)
    return count, _skip_values(data, pos, _plausible(count, data))


def _subdocument(data: bytes, pos: int) -> tuple[int, int]:
    return 1, _skip_values(data, _skip_bytes(data, pos), 1)


def _skip_values(data: bytes, pos: int, count: int) -> int:
    """Skip values of lib0's `any`, however they are nested."""
    open_values = [(count, False)]
    while open_values:
        left, named = open_values.pop()
        if not left:
            continue
        open_values.append((left - 1, named))
        pos = _skip_bytes(data, pos) if named else pos
        if pos >= len(data):
            raise ProtocolError("update ends inside a value")
        kind, pos = data[pos], pos + 1
        match kind:
            case 127 | 126 | 121 | 120:
                pass
            case 125:
                pos = _skip_varint(data, pos)
            case 124:
                pos += 4
            case 123 | 122:
                pos += 8
            case 119 | 116:
                pos = _skip_bytes(data, pos)
            case 118 | 117:
                inner, pos = read_varuint(data, pos)
                open_values.append((_plausible(inner, data), kind == 118))
            case _:
                raise ProtocolError(f"a value of an unknown kind, {kind}")
    return pos


def _skip_varint(data: bytes, pos: int) -> int:
    while pos < len(data) and data[pos] & 0x80:
        pos += 1
    return pos + 1


def _plausible(count: int, data: bytes) -> int:
    if count > len(data):
        raise ProtocolError("update states more values than fit into it")
    return count


CONTENT: dict[int, Callable[[bytes, int], tuple[int, int]]] = {
    1: _deleted,
    2: _json,
    3: _one,  # binary
    STRING: _string,
    5: _one,  # embed
    6: _format,
    7: _type,
    8: _anything,
    9: _subdocument,
}
