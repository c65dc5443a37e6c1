"""What the load driver says and hears: client frames, pre-encoded edits, and which edits an update carries (pure).

Every edit types one `a` behind the last one of the same writer, as a keyboard does. Writers have client ids of five
bytes, as Yjs makes them.
"""

from collections.abc import Iterator
from struct import pack
from typing import Final

from models.lib0 import read_varuint, varbytes, varstring, varuint

ROOT: Final = "text"
NOTHING: Final = b"\x00\x00"
STEP1: Final = b"\x00\x00" + varbytes(b"\x00")
STEP2_OF_NOBODY: Final = b"\x00\x01" + varbytes(NOTHING)
_FIRST_CLIENT: Final = 2**31
_CODE_BYTES: Final = 5
_HAS_LEFT, _HAS_RIGHT = 0x80, 0x40

Span = tuple[bytes, int, int]
"""A writer's code, and its edits from .. up to (excluded)."""


def code(number: int) -> bytes:
    """A writer: its client id as it stands in updates."""
    return varuint(_FIRST_CLIENT + number)


def client_id(writer: bytes) -> int:
    """The client id of a writer."""
    return read_varuint(writer, 0)[0]


def edit(writer: bytes, clock: int) -> bytes:
    """The update for a writer's keystroke."""
    if clock == 0:
        return b"\x01\x01" + writer + b"\x00\x04\x01" + varstring(ROOT) + b"\x01a\x00"
    return b"\x01\x01" + writer + varuint(clock) + b"\x84" + writer + varuint(clock - 1) + b"\x01a\x00"


def message(update: bytes) -> bytes:
    """An update as y-protocols sends it."""
    return b"\x00\x02" + varbytes(update)


def frame(body: bytes) -> bytes:
    """A client's WebSocket frame. Its mask is zero, which costs a server what any other mask does."""
    length = len(body)
    if length < 126:
        return bytes((0x82, 0x80 | length, 0, 0, 0, 0)) + body
    if length < 65536:
        return pack("!BBHI", 0x82, 0x80 | 126, length, 0) + body
    return pack("!BBQI", 0x82, 0x80 | 127, length, 0) + body


def spans(update: bytes) -> Iterator[Span]:
    """Which edits an update carries; servers may have merged several."""
    clients, pos = read_varuint(update, 0)
    for _ in range(clients):
        structs, pos = read_varuint(update, pos)
        writer = update[pos : pos + _CODE_BYTES]
        clock, pos = read_varuint(update, pos + _CODE_BYTES)
        end = clock
        for _ in range(structs):
            length, pos = _struct(update, pos)
            end += length
        yield writer, clock, end


def _struct(update: bytes, pos: int) -> tuple[int, int]:
    """The length of a struct as `edit` makes them, and where the next begins."""
    info = update[pos]
    pos += 1
    for side in (_HAS_LEFT, _HAS_RIGHT):
        if info & side:
            pos = read_varuint(update, read_varuint(update, pos)[1])[1]
    if not info & (_HAS_LEFT | _HAS_RIGHT):
        named, pos = read_varuint(update, pos)
        assert named == 1, "edits name the root"
        length, pos = read_varuint(update, pos)
        pos += length
    length, pos = read_varuint(update, pos)
    return length, pos + length
