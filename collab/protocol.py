"""What is said on a collaboration socket: y-websocket and Hocuspocus v3/v4 messages, parsed and framed (pure).

Both dialects carry the same message after an address. y-websocket has none (the URL names the document), Hocuspocus
puts a varstring in front of every message: the document's name, in v4 with `\\0` and a session id behind it where one
socket holds the same document twice. Whatever stands there is the reply address, byte for byte.
"""

from enum import IntEnum
from struct import pack
from typing import Final

from models.lib0 import ProtocolError, read_bytes, read_string, read_varuint, varbytes, varstring, varuint

MAX_UPDATE: Final = 1024 * 1024
MAX_MESSAGE: Final = MAX_UPDATE + 1024  # an update, its address and lengths
MAX_ADDRESS: Final = 512
"""Bytes of a Hocuspocus address. The providers' have 36 and at most as many again for a session."""


class Close(IntEnum):
    """Close codes; y-websocket gives up on 44xx and comes back after every other one."""

    TOO_BIG = 1009
    TRY_AGAIN = 1013
    MALFORMED = 4400
    WHO_ARE_YOU = 4401
    FORBIDDEN = 4403
    NOT_FOUND = 4404
    TIMEOUT = 4408


class Said(IntEnum):
    """What a client may say."""

    STEP1 = 0
    STEP2 = 1
    UPDATE = 2
    AWARENESS = 3
    QUERY_AWARENESS = 4
    TOKEN = 5
    STATELESS = 6
    LEAVE = 7


class ServerOnly(ProtocolError):
    """A message that only servers may send came from a client."""


# The type that follows the address.
_SYNC, _AWARENESS, _AUTH, _QUERY_AWARENESS = 0, 1, 2, 3
_STATELESS, _CLOSE, _SYNC_STATUS = 5, 7, 8
_AUTH_TOKEN, _AUTH_DENIED, _AUTH_ACCEPTED = 0, 1, 2
_STEPS: Final = (Said.STEP1, Said.STEP2, Said.UPDATE)
_UPDATE: Final = Said.UPDATE  # Python 3.11 takes as long for the member of an enum as for a call

PONG: Final = b"\x0a"  # Hocuspocus v4's answer to an application ping: the only message without an address
KEEPALIVE: Final = b"\x01\x01\x00"  # awareness of nobody: both providers hang up after 30 s without any message
QUERY_AWARENESS: Final = b"\x03"


def read_address(message: bytes) -> tuple[bytes, str, int]:
    """Of a Hocuspocus message: its address as it came (with the length), the document's name, where the rest begins.

    Raises:
        ProtocolError: there is none, or it is too long: it is kept for as long as somebody sits there.
    """
    text, end = read_string(message, 0)
    if end > MAX_ADDRESS:
        raise ProtocolError("address too long")
    return message[:end], text.partition("\0")[0], end


def read(message: bytes, pos: int = 0) -> tuple[Said, bytes]:
    """What the message says after its address, with its one argument (empty where there is none)."""
    # The fast path: an update of less than 128 bytes, which nearly every message is.
    if message[pos : pos + 2] == b"\x00\x02" and len(message) > pos + 2:
        length = message[pos + 2]
        if length < 0x80 and len(message) == pos + 3 + length:
            return _UPDATE, message[pos + 3 :]
    kind, pos = read_varuint(message, pos)
    if kind == _SYNC:
        return _read_sync(message, pos)
    if kind == _AWARENESS:
        return Said.AWARENESS, read_bytes(message, pos)[0]
    if kind == _AUTH:
        return _read_auth(message, pos)
    if kind == _QUERY_AWARENESS:
        return Said.QUERY_AWARENESS, b""
    if kind == _STATELESS:
        return Said.STATELESS, b""
    if kind == _CLOSE:
        return Said.LEAVE, b""
    # 4 SyncReply, 6 BroadcastStateless, 8 SyncStatus, 9 Ping, and whatever nobody knows
    raise ServerOnly(f"a client may not send messages of type {kind}")


def _read_sync(message: bytes, pos: int) -> tuple[Said, bytes]:
    step, pos = read_varuint(message, pos)
    if step >= len(_STEPS):
        raise ProtocolError(f"unknown sync step {step}")
    return _STEPS[step], read_bytes(message, pos)[0]


def _read_auth(message: bytes, pos: int) -> tuple[Said, bytes]:
    kind, pos = read_varuint(message, pos)
    if kind != _AUTH_TOKEN:
        raise ServerOnly("a client may not grant itself access")
    return Said.TOKEN, read_bytes(message, pos)[0]


def step1(state_vector: bytes) -> bytes:
    """Asks for everything that `state_vector` has not seen."""
    return b"\x00\x00" + varbytes(state_vector)


def step2(update: bytes) -> bytes:
    """Answers a step 1: the peer counts as synced once it has this."""
    return b"\x00\x01" + varbytes(update)


def update(raw: bytes) -> bytes:
    """Relays an edit."""
    return b"\x00\x02" + varbytes(raw)


def update_frame(address: bytes, raw: bytes) -> bytes:
    """The frame that does."""
    size, before = len(raw), len(address) + _UPDATE_HEAD
    if size + before < _SHORT:  # as nearly always
        return _HEADS[before + size] + address + _UPDATES[size] + raw
    return frame(address, update(raw))


def awareness(states: bytes) -> bytes:
    """Relays presence."""
    return b"\x01" + varbytes(states)


def authenticated(*, may_write: bool) -> bytes:
    """Hocuspocus: the token was good, for this much."""
    return bytes((_AUTH, _AUTH_ACCEPTED)) + varstring("read-write" if may_write else "readonly")


def denied(reason: str) -> bytes:
    """The token was not good, or is no longer."""
    return bytes((_AUTH, _AUTH_DENIED)) + varstring(reason)


def sync_status(*, saved: bool) -> bytes:
    """Answers one update message, in order, once it is committed (or says that something is not saved)."""
    return bytes((_SYNC_STATUS, saved))


def frame(address: bytes, body: bytes) -> bytes:
    """A whole server-to-client WebSocket frame, made once and written to any number of sockets."""
    return _head(len(address) + len(body)) + address + body


def step2_frame(address: bytes, update: bytes) -> bytes:
    """The frame of a step 2, which may be a whole document: copied once."""
    start = b"".join((address, b"\x00\x01", varuint(len(update))))
    return b"".join((_head(len(start) + len(update)), start, update))


def _head(length: int) -> bytes:
    if length < _SHORT:
        return _HEADS[length]
    if length < 65536:
        return pack("!BBH", 0x82, 126, length)
    return pack("!BBQ", 0x82, 127, length)


_SHORT: Final = 126
"""A message of fewer bytes has its length in the second byte of its frame."""
_HEADS: Final = [bytes((0x82, length)) for length in range(_SHORT)]
_UPDATE_HEAD: Final = 3
_UPDATES: Final = [bytes((_SYNC, Said.UPDATE, size)) for size in range(_SHORT)]
"""What stands between the address and an edit of so many bytes."""

__all__ = [
    "KEEPALIVE",
    "MAX_MESSAGE",
    "MAX_UPDATE",
    "PONG",
    "QUERY_AWARENESS",
    "Close",
    "ProtocolError",
    "Said",
    "ServerOnly",
    "authenticated",
    "awareness",
    "denied",
    "frame",
    "read",
    "read_address",
    "step1",
    "step2",
    "step2_frame",
    "sync_status",
    "update",
    "update_frame",
    "varuint",
]
