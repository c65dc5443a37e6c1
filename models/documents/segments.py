"""Archived segments: a stretch of a document's journal as one object (pure).

A header as one line of JSON, then one column after the other, since like compresses with like:
lengths, times, authors, sessions, origins, and the updates themselves. The chain hashes are not
stored: they follow from the first and the updates, and the last one has to be what the header says.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from models.documents.rows import link
from models.lib0 import read_varuint, varuint

MAGIC = b"doxie segment 1\n"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class SegmentDamaged(RuntimeError):
    """A segment is not what was archived."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the journal, with everything that is known about it."""

    seq: int
    payload: bytes
    chain: bytes
    actor_id: UUID | None
    session_id: UUID | None
    origin: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive rows, and the chain hash before the first."""

    org_id: UUID
    document_id: UUID
    chain_before: bytes
    rows: Sequence[Row]


def encode(segment: Segment) -> bytes:
    """The bytes of a segment; the same rows give the same bytes.

    Raises:
        SegmentDamaged: the rows have a gap, or their chain breaks.
    """
    rows = segment.rows
    _check(segment)
    authors, sessions, origins = (
        _Names([row.actor_id for row in rows]),
        _Names([row.session_id for row in rows]),
        _Names([row.origin for row in rows]),
    )
    header = {
        "org_id": str(segment.org_id),
        "document_id": str(segment.document_id),
        "seq_from": rows[0].seq,
        "count": len(rows),
        "chain_before": segment.chain_before.hex(),
        "chain_after": rows[-1].chain.hex(),
        "actors": authors.names,
        "sessions": sessions.names,
        "origins": origins.names,
    }
    columns = b"".join(
        [
            _numbers(len(row.payload) for row in rows),
            _numbers(_zigzag(delta) for delta in _deltas([_microseconds(row.created_at) for row in rows])),
            *(_numbers(names.places) for names in (authors, sessions, origins)),
            *(row.payload for row in rows),
        ]
    )
    return MAGIC + json.dumps(header, separators=(",", ":")).encode() + b"\n" + columns


def decode(data: bytes) -> Segment:
    """The segment in some bytes, its chain checked from the first update to the last.

    Raises:
        SegmentDamaged: it is not one, or its chain breaks.
    """
    try:
        return _decoded(data)
    except SegmentDamaged:
        raise
    except Exception as error:
        raise SegmentDamaged(f"it cannot be read: {error}") from error


def _decoded(data: bytes) -> Segment:
    if not data.startswith(MAGIC):
        raise SegmentDamaged("it does not begin as a segment does")
    end = data.index(b"\n", len(MAGIC))
    header: dict[str, Any] = json.loads(data[len(MAGIC) : end])
    count, position = header["count"], end + 1
    columns: list[list[int]] = []
    for _ in range(5):
        column, position = _read_numbers(data, position, count)
        columns.append(column)
    lengths, deltas, actors, sessions, origins = columns
    chain, time, rows = bytes.fromhex(header["chain_before"]), 0, []
    for at in range(count):
        payload = data[position : position + lengths[at]]
        position += lengths[at]
        chain, time = link(chain, payload), time + _unzigzag(deltas[at])
        row = Row(
            header["seq_from"] + at,
            payload,
            chain,
            _name(header["actors"], actors[at], UUID),
            _name(header["sessions"], sessions[at], UUID),
            header["origins"][origins[at]],
            EPOCH + timedelta(microseconds=time),
        )
        rows.append(row)
    if position != len(data) or chain.hex() != header["chain_after"]:
        raise SegmentDamaged("the chain breaks")
    before = bytes.fromhex(header["chain_before"])
    return Segment(UUID(header["org_id"]), UUID(header["document_id"]), before, rows)


def _check(segment: Segment) -> None:
    chain = segment.chain_before
    for place, row in enumerate(segment.rows):
        if row.seq != segment.rows[0].seq + place:
            raise SegmentDamaged(f"seq {segment.rows[0].seq + place} is missing")
        chain = link(chain, row.payload)
        if chain != row.chain:
            raise SegmentDamaged(f"the chain breaks at seq {row.seq}")


class _Names:
    """A column of few different values: their names, and each row's place among them."""

    def __init__(self, values: Sequence[UUID | str | None]) -> None:
        distinct = dict.fromkeys(values)
        self.names = [None if value is None else str(value) for value in distinct]
        places = {value: place for place, value in enumerate(distinct)}
        self.places = [places[value] for value in values]


def _name(names: Sequence[str | None], place: int, make: Callable[[str], T]) -> T | None:
    name = names[place]
    return None if name is None else make(name)


def _numbers(values: Sequence[int] | Iterator[int]) -> bytes:
    return b"".join(varuint(value) for value in values)


def _read_numbers(data: bytes, position: int, count: int) -> tuple[list[int], int]:
    values = []
    for _ in range(count):
        value, position = read_varuint(data, position)
        values.append(value)
    return values, position


def _deltas(values: Sequence[int]) -> Iterator[int]:
    return (value - before for before, value in zip([0, *values], values, strict=False))


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(value: int) -> int:
    return value >> 1 if not value & 1 else -((value + 1) >> 1)


def _microseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)
