"""The state of a document: newest verified snapshot, then the journal after it."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text

from infra import compression, hashing
from infra.direct import Executes
from infra.settings import get_settings
from infra.storage import ObjectStore
from models.documents import journal
from models.errors import Unavailable

# In one piece: a row for each update costs more than the updates do. Whatever is archived is in the snapshot.
_STORED = text("""
    SELECT stream.org_id, stream.seq, stream.snapshot_sha256, stream.bytes_total,
        newer.seqs, newer.lengths, newer.payloads
    FROM document_streams AS stream CROSS JOIN LATERAL (
        SELECT string_agg(CAST(seq AS text), ',' ORDER BY seq) AS seqs,
            string_agg(CAST(length(payload) AS text), ',' ORDER BY seq) AS lengths,
            string_agg(payload, CAST('' AS bytea) ORDER BY seq) AS payloads
        FROM document_updates AS entry
        WHERE entry.document_id = stream.document_id AND entry.seq > stream.snapshot_seq AND NOT EXISTS (
            SELECT 1 FROM quarantined_updates AS bad
            WHERE bad.document_id = entry.document_id AND bad.seq = entry.seq
        )
    ) AS newer
    WHERE stream.document_id = :document_id AND NOT stream.closed
""").bindparams(bindparam("document_id", type_=Uuid))


class StateUnavailable(Unavailable):
    """The stored state cannot be read; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What has to be applied, in order, to an empty Doc to have the document as of `seq`."""

    seq: int
    updates: list[bytes]
    seqs: list[int] = field(default_factory=list)
    """The place of each update in the journal; 0 for a snapshot, without which it would not be the document."""
    bytes_total: int = 0
    """Of the journal, at most `max_document_bytes`."""


def snapshot_key(org_id: UUID, sha256: str) -> str:
    """The name of a snapshot in the object store."""
    return f"orgs/{org_id}/snapshots/{sha256}.zst"


async def read_snapshot(store: ObjectStore, org_id: UUID, sha256: str) -> bytes:
    """The Yjs update a snapshot holds.

    Raises:
        StateUnavailable: it is missing, unreadable, or not what its name says.
    """
    try:
        frame = await store.get(snapshot_key(org_id, sha256))
        data, found = await asyncio.to_thread(_unpack, frame)  # tens of megabytes would stall everybody
    except Exception as error:
        raise StateUnavailable(f"snapshot {sha256} cannot be read: {error}") from error
    if found != sha256:
        raise StateUnavailable(f"snapshot {sha256} is damaged")
    return data


async def load(session: Executes, store: ObjectStore, document_id: UUID) -> Loaded:
    """The newest state.

    Raises:
        DocumentGone: no such document for the organizations of this session, or it is closed.
        StateUnavailable: the snapshot cannot be read.
    """
    stored = next(iter(await session.execute(_STORED, {"document_id": document_id})), None)
    if stored is None:
        raise journal.DocumentGone([document_id])
    updates: list[bytes] = []
    seqs: list[int] = []
    if stored.snapshot_sha256:
        updates.append(await read_snapshot(store, stored.org_id, stored.snapshot_sha256))
        seqs.append(0)
    if stored.seqs:
        seqs.extend(map(int, stored.seqs.split(",")))
        updates.extend(_cut(bytes(stored.payloads), map(int, stored.lengths.split(","))))
    return Loaded(seqs[-1] if stored.seqs else stored.seq, updates, seqs, stored.bytes_total)


def _cut(payloads: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for length in lengths:
        yield payloads[start : start + length]
        start += length


def _unpack(frame: bytes) -> tuple[bytes, str]:
    data = compression.decompress(frame, limit=2 * get_settings().max_document_bytes)
    return data, hashing.sha256_hex(data)
