"""Reading a document's whole journal: what is in Postgres, and before that what is in archived segments.

Rows are looked for first and segments second. A stretch that is archived in between is then found
twice at most, and never missed: its rows go in the transaction that adds its segment.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import compression, hashing
from infra.settings import get_settings
from infra.storage import ObjectStore
from models.documents import journal, segments
from models.documents.journal import ALL, Entry
from models.documents.segments import Segment
from models.documents.tables import GENESIS, DocumentSegment
from models.errors import Unavailable


class HistoryUnavailable(Unavailable):
    """A part of the document's history cannot be read; nothing was changed."""


def segment_key(org_id: UUID, sha256: str) -> str:
    """The name of a segment in the object store."""
    return f"orgs/{org_id}/segments/{sha256}.zst"


async def entries(
    session: AsyncSession,
    store: ObjectStore,
    document_id: UUID,
    *,
    after: int,
    upto: int = ALL,
    quarantined: bool = False,
) -> list[Entry]:
    """The updates with after < seq <= upto, in order, wherever they are; see `journal.tail`.

    Raises:
        HistoryUnavailable: some of them are neither in the journal nor in a segment that can be read.
    """
    recent = await journal.tail(session, document_id, after=after, upto=upto, quarantined=True, whole=False)
    first = recent[0].seq if recent else upto + 1
    older: list[Entry] = []
    if first > after + 1:
        for listed in await archived(session, document_id, after=after, before=first):
            segment = await read(store, listed)
            older.extend(
                Entry(row.seq, row.payload, row.chain, row.actor_id, row.created_at)
                for row in segment.rows
                if after < row.seq < first
            )
    found = [*older, *recent]
    _require_whole(found, after, upto)
    if quarantined:
        return found
    bad = await journal.quarantined_seqs(session, document_id)
    return [entry for entry in found if entry.seq not in bad]


async def archived(
    session: AsyncSession, document_id: UUID, *, after: int = 0, before: int = ALL
) -> list[DocumentSegment]:
    """The segments that hold something of after < seq < before, in order."""
    query = select(DocumentSegment).where(
        DocumentSegment.document_id == document_id,
        col(DocumentSegment.seq_to) > after,
        col(DocumentSegment.seq_from) < before,
    )
    return list(await session.scalars(query.order_by(col(DocumentSegment.seq_from))))


async def read(store: ObjectStore, listed: DocumentSegment) -> Segment:
    """A segment, checked against its hash, its chain, and what Postgres says of it.

    Raises:
        HistoryUnavailable: it is missing or damaged.
    """
    try:
        frame = await store.get(segment_key(listed.org_id, listed.sha256))
        data = compression.decompress(frame, limit=4 * get_settings().max_document_bytes)
        if hashing.sha256_hex(data) != listed.sha256:
            raise segments.SegmentDamaged("its hash is another one")
        segment = segments.decode(data)
    except Exception as error:
        raise HistoryUnavailable(f"segment {listed.sha256} cannot be read: {error}") from error
    first, last = segment.rows[0], segment.rows[-1]
    if (segment.document_id, first.seq, last.seq, last.chain) != (
        listed.document_id,
        listed.seq_from,
        listed.seq_to,
        listed.chain,
    ):
        raise HistoryUnavailable(f"segment {listed.sha256} is another one than Postgres says")
    return segment


async def chain_at(session: AsyncSession, document_id: UUID, seq: int) -> bytes | None:
    """The chain hash after an update that is in the journal or the last one of a segment; None for others."""
    if seq == 0:
        return GENESIS
    rows = await journal.tail(session, document_id, after=seq - 1, upto=seq, quarantined=True, whole=False)
    if rows:
        return bytes(rows[0].chain)
    found = [listed for listed in await archived(session, document_id, after=seq - 1) if listed.seq_to == seq]
    return bytes(found[0].chain) if found else None


def _require_whole(found: Sequence[Entry], after: int, upto: int) -> None:
    for place, entry in enumerate(found, start=after + 1):
        if entry.seq != place:
            raise HistoryUnavailable(f"seq {place} is missing")
    if upto != ALL and len(found) < upto - after:
        raise HistoryUnavailable(f"seq {after + len(found) + 1} is missing")


async def chain_within(session: AsyncSession, store: ObjectStore, document_id: UUID, seq: int) -> bytes | None:
    """The chain hash after any update; None where the document never had it.

    Raises:
        HistoryUnavailable: it is in a segment that cannot be read.
    """
    known = await chain_at(session, document_id, seq)
    if known is not None:
        return known
    for listed in await archived(session, document_id, after=seq - 1, before=seq + 1):
        segment = await read(store, listed)
        return segment.rows[seq - listed.seq_from].chain
    return None
