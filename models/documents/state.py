"""The state of a document: newest verified snapshot, then the journal after it."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import compression, hashing
from infra.settings import get_settings
from infra.storage import ObjectStore
from models.documents import journal
from models.documents.tables import DocumentStream
from models.errors import Unavailable


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


async def load(session: AsyncSession, store: ObjectStore, document_id: UUID) -> Loaded:
    """The newest state.

    Raises:
        DocumentGone: no such document for the organizations of this session, or it is closed.
        StateUnavailable: the snapshot cannot be read.
    """
    found = await session.execute(
        select(DocumentStream).where(
            DocumentStream.document_id == document_id,
            col(DocumentStream.closed).is_(False),
        )
    )
    stream = found.scalar_one_or_none()
    if stream is None:
        raise journal.DocumentGone([document_id])
    updates: list[bytes] = []
    seqs: list[int] = []
    if stream.snapshot_sha256:
        updates.append(await read_snapshot(store, stream.org_id, stream.snapshot_sha256))
        seqs.append(0)
    # Whatever is archived is in the snapshot.
    entries = await journal.tail(session, document_id, after=stream.snapshot_seq, whole=False)
    updates.extend(entry.payload for entry in entries)
    seqs.extend(entry.seq for entry in entries)
    return Loaded(entries[-1].seq if entries else stream.seq, updates, seqs, stream.bytes_total)


def _unpack(frame: bytes) -> tuple[bytes, str]:
    data = compression.decompress(frame, limit=2 * get_settings().max_document_bytes)
    return data, hashing.sha256_hex(data)
