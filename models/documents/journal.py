"""The journal: every update of every document, gapless, chained, append-only.

A document's `seq` is assigned under the lock of its stream row, so a reader that has seen n will
never later find an m < n it has not seen, as it would with a plain sequence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from infra.direct import Executes, uuid_array
from infra.settings import get_settings
from models import outbox
from models.documents.rows import APPEND, Edit, Head, Rows, link
from models.documents.tables import QuarantinedUpdate
from models.errors import NotFound, TooLarge, Unavailable


class DocumentGone(NotFound):
    """No such document, or it is in the trash."""

    def __init__(self, document_ids: Iterable[UUID]) -> None:
        super().__init__()
        self.document_ids = frozenset(document_ids)


class Archived(Unavailable):
    """A part of this history is archived, and was asked for where only recent updates are."""


class DocumentFull(TooLarge):
    """The document has reached the size it may have."""

    def __init__(self, document_ids: Iterable[UUID]) -> None:
        super().__init__()
        self.document_ids = frozenset(document_ids)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the journal."""

    seq: int
    payload: bytes
    chain: bytes
    actor_id: UUID | None
    created_at: datetime


_LOCK = text("""
    SELECT document_id, org_id, seq, chain, bytes_total FROM document_streams
    WHERE document_id = ANY(CAST(:documents AS uuid[])) AND NOT closed
    ORDER BY document_id FOR UPDATE
""")

_SEQS = text("""
    SELECT document_id, seq FROM document_streams WHERE document_id = ANY(:documents)
""").bindparams(bindparam("documents", type_=ARRAY(Uuid)))

_TAIL = text("""
    SELECT seq, payload, chain, actor_id, created_at FROM document_updates
    WHERE document_id = :document_id AND seq > :after AND seq <= :upto
    ORDER BY seq
""").bindparams(bindparam("document_id", type_=Uuid))

_ARCHIVED = text("""
    SELECT 1 FROM document_segments WHERE document_id = :document_id AND seq_to > :after AND seq_from <= :upto LIMIT 1
""").bindparams(bindparam("document_id", type_=Uuid))

_QUARANTINED = text("""
    SELECT seq FROM quarantined_updates WHERE document_id = :document_id AND seq IS NOT NULL
""").bindparams(bindparam("document_id", type_=Uuid))

ALL = 2**62
"""An upper bound for `seq`."""


async def append(session: Executes, edits: Sequence[Edit]) -> list[int]:
    """Append updates of any number of documents; returns the seq of each, in the same order.

    Locks the streams in the order of their ids and marks the documents changed in the outbox. The
    session must be scoped to the organizations of the edits.

    Raises:
        DocumentGone: some of the documents do not exist or are closed; nothing was appended.
        DocumentFull: some would grow past `max_document_bytes`; nothing was appended.
    """
    heads = await _lock(session, {document_id for document_id, _ in groupby(edits, itemgetter(1))})
    rows = Rows(edits, heads)
    limit = get_settings().max_document_bytes
    if full := [document_id for document_id, head in heads.items() if head.bytes_total > limit]:
        raise DocumentFull(full)
    await session.execute(APPEND, rows.parameters())
    settings = get_settings()
    await outbox.emit(
        session,
        outbox.DOCUMENT_CHANGED,
        [(head.org_id, document_id) for document_id, head in heads.items()],
        quiet=settings.persist_quiet_seconds,
        max_age=settings.persist_max_age_seconds,
    )
    return rows.seqs


async def seqs(session: Executes, document_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How far the journals of documents go."""
    rows = await session.execute(_SEQS, {"documents": list(document_ids)})
    return {row.document_id: row.seq for row in rows}


async def tail(
    session: AsyncSession,
    document_id: UUID,
    *,
    after: int,
    upto: int = ALL,
    quarantined: bool = False,
    whole: bool = True,
) -> list[Entry]:
    """The updates with after < seq <= upto, in order; those that are quarantined only if asked for.

    Those that are archived are not here: `history.entries` has all. Only who knows that none of them matters may do
    without them (`whole=False`).

    Raises:
        Archived: some of these updates are.
    """
    rows = await session.execute(_TAIL, {"document_id": document_id, "after": after, "upto": upto})
    entries = [Entry(**row) for row in rows.mappings()]
    if whole and (not entries or entries[0].seq != after + 1):
        parameters = {"document_id": document_id, "after": after, "upto": upto}
        if await session.scalar(_ARCHIVED, parameters):
            raise Archived()
    if quarantined:
        return entries
    bad = await quarantined_seqs(session, document_id)
    return [entry for entry in entries if entry.seq not in bad]


async def quarantined_seqs(session: AsyncSession, document_id: UUID) -> set[int]:
    """The updates that are in the journal and no part of the document."""
    return set(await session.scalars(_QUARANTINED, {"document_id": document_id}))


async def quarantine(session: AsyncSession, edit: Edit, *, error: str, seq: int | None = None) -> None:
    """Keep an update that does not apply where people can look at it, out of the document."""
    session.add(
        QuarantinedUpdate(
            org_id=edit.org_id,
            document_id=edit.document_id,
            seq=seq,
            payload=edit.payload,
            error=error[:2000],
            actor_id=edit.actor_id,
            origin=edit.origin,
        )
    )
    await session.flush()


async def _lock(session: Executes, document_ids: set[UUID]) -> dict[UUID, Head]:
    rows = await session.execute(_LOCK, {"documents": uuid_array(document_ids)})
    heads = {row.document_id: Head(row.org_id, row.seq, bytes(row.chain), row.bytes_total) for row in rows}
    if missing := document_ids - heads.keys():
        raise DocumentGone(missing)
    return heads


__all__ = [
    "ALL",
    "DocumentFull",
    "DocumentGone",
    "Edit",
    "Entry",
    "append",
    "link",
    "quarantine",
    "tail",
]
