"""Moving folded updates of a document into a segment. The session's role owns the tables.

The role that doors and pipelines work with can append to the journal and nothing else, not even say
that something is archived; a function that deletes on its behalf would have to be told what, and
would believe it. So archiving works as the owner, in one flow, and the statement that deletes
checks once more that the segment covers what it deletes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from infra import compression, hashing
from infra.db import Database
from infra.storage import ObjectStore
from models.documents import history, segments
from models.documents.segments import Row, Segment
from models.documents.tables import DocumentSegment

LEVEL = 19
"""Written once, read seldom."""

ROWS = 20_000
RAW_BYTES = 8 * 1024 * 1024
"""A segment holds at most so much, unless one update alone is larger."""


class NothingToArchive(LookupError):
    """No update of the document is old enough and folded."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Documents with something to archive."""

    org_id: UUID
    document_id: UUID


# What may go: old, inside the newest verified snapshot, and in no revision that is still to be folded.
_LIMIT = """
    LEAST(
        s.snapshot_seq,
        (SELECT min(r.seq_from) - 1 FROM revisions r
            WHERE r.org_id = s.org_id AND r.document_id = s.document_id AND r.state = 'pending'),
        (SELECT min(y.seq) - 1 FROM document_updates y
            WHERE y.org_id = s.org_id AND y.document_id = s.document_id
                AND y.created_at >= now() - CAST(:age AS interval))
    )
"""

_ORGS = text("SELECT id FROM organizations ORDER BY id")

_CANDIDATES = text(f"""
    SELECT org_id, document_id FROM (
        SELECT s.org_id, s.document_id, {_LIMIT} AS upto, (
            SELECT min(u.seq) FROM document_updates u
            WHERE u.org_id = s.org_id AND u.document_id = s.document_id
        ) AS first
        FROM document_streams s WHERE s.org_id = :org_id
    ) AS streams
    WHERE upto - first + 1 >= :least ORDER BY document_id
""").bindparams(bindparam("org_id", type_=Uuid))  # noqa: S608 - a constant

_ROWS = text(f"""
    SELECT u.seq, u.payload, u.chain, u.actor_id, u.session_id, u.origin, u.created_at
    FROM document_updates u
    JOIN document_streams s ON s.org_id = u.org_id AND s.document_id = u.document_id
    WHERE u.org_id = :org_id AND u.document_id = :document_id AND u.seq <= {_LIMIT}
    ORDER BY u.seq LIMIT :rows
""").bindparams(bindparam("org_id", type_=Uuid), bindparam("document_id", type_=Uuid))  # noqa: S608

_LOCK = text("""
    SELECT 1 FROM documents WHERE org_id = :org_id AND id = :document_id FOR NO KEY UPDATE
""").bindparams(bindparam("org_id", type_=Uuid), bindparam("document_id", type_=Uuid))

# Deletes what a segment covers, and only if it is whole: as many rows, ending in the same chain hash.
_DELETE = text("""
    WITH covered AS (
        SELECT u.seq, u.chain FROM document_updates u
        WHERE u.org_id = :org_id AND u.document_id = :document_id AND u.seq BETWEEN :seq_from AND :seq_to
    )
    DELETE FROM document_updates u
    USING document_segments g
    WHERE g.org_id = :org_id AND g.document_id = :document_id AND g.seq_from = :seq_from AND g.seq_to = :seq_to
        AND (SELECT count(*) FROM covered) = g.seq_to - g.seq_from + 1
        AND (SELECT chain FROM covered WHERE seq = g.seq_to) = g.chain
        AND u.org_id = g.org_id AND u.document_id = g.document_id AND u.seq BETWEEN g.seq_from AND g.seq_to
""").bindparams(bindparam("org_id", type_=Uuid), bindparam("document_id", type_=Uuid))


async def organizations(session: AsyncSession) -> list[UUID]:
    """All there are, for a role that sees them all."""
    return list(await session.scalars(_ORGS))


async def candidates(session: AsyncSession, org_id: UUID, *, age: timedelta, least: int = 1) -> list[Plan]:
    """The documents of an organization with at least so many updates that are folded and older than `age`."""
    parameters = {"org_id": org_id, "age": age, "least": least}
    return [Plan(**row) for row in (await session.execute(_CANDIDATES, parameters)).mappings()]


async def archive(
    db: Database, store: ObjectStore, plan: Plan, *, age: timedelta, flow_run_id: UUID | None = None
) -> DocumentSegment:
    """Move the oldest stretch of a document's journal into one segment.

    The object comes first, is read back and decoded, its chain checked against the rows; then, in one
    transaction, the segment is listed and its rows deleted. Whatever interrupts it leaves the rows where
    they are, or nothing to do; an object too many is swept up one day.

    Raises:
        NothingToArchive: nothing is old enough.
        SegmentDamaged: the journal has a gap or its chain breaks; nothing was changed.
        ObjectCorrupt: the object does not read back as it was written; nothing was changed.
    """
    async with db.transaction(org_ids=[plan.org_id]) as session:
        segment = await _next(session, plan, age)
    data = segments.encode(segment)
    listed = _listed(segment, data, flow_run_id)
    await store.put(history.segment_key(plan.org_id, listed.sha256), frame := compression.compress(data, LEVEL))
    listed.bytes_stored = len(frame)
    await history.read(store, listed)  # what was just stored, from the store, through every check
    async with db.transaction(org_ids=[plan.org_id]) as session:
        await session.execute(_LOCK, {"org_id": plan.org_id, "document_id": plan.document_id})
        session.add(listed)
        await session.flush()
        await _delete(session, listed)
    return listed


async def _next(session: AsyncSession, plan: Plan, age: timedelta) -> Segment:
    parameters = {"org_id": plan.org_id, "document_id": plan.document_id, "age": age, "rows": ROWS}
    rows = [Row(**row) for row in (await session.execute(_ROWS, parameters)).mappings()]
    if not rows:
        raise NothingToArchive()
    taken = _taken(rows)
    before = await history.chain_at(session, plan.document_id, taken[0].seq - 1)
    if before is None:
        raise segments.SegmentDamaged(f"nothing is known of seq {taken[0].seq - 1}, right before the journal begins")
    return Segment(plan.org_id, plan.document_id, before, taken)


def _taken(rows: Sequence[Row]) -> list[Row]:
    """As many of the rows as fit into a segment, at least one."""
    taken: list[Row] = []
    size = 0
    for row in rows:
        size += len(row.payload)
        if taken and size > RAW_BYTES:
            break
        taken.append(row)
    return taken


def _listed(segment: Segment, data: bytes, flow_run_id: UUID | None) -> DocumentSegment:
    rows = segment.rows
    return DocumentSegment(
        org_id=segment.org_id,
        document_id=segment.document_id,
        seq_from=rows[0].seq,
        seq_to=rows[-1].seq,
        chain=rows[-1].chain,
        authors=sorted({row.actor_id for row in rows if row.actor_id is not None}),
        sha256=hashing.sha256_hex(data),
        bytes_raw=len(data),
        bytes_stored=0,
        flow_run_id=flow_run_id,
    )


async def _delete(session: AsyncSession, listed: DocumentSegment) -> None:
    parameters = {
        "org_id": listed.org_id,
        "document_id": listed.document_id,
        "seq_from": listed.seq_from,
        "seq_to": listed.seq_to,
    }
    deleted = (await session.execute(_DELETE, parameters)).rowcount  # type: ignore[attr-defined]
    if deleted != listed.seq_to - listed.seq_from + 1:
        raise segments.SegmentDamaged(f"{deleted} rows are covered by the segment from seq {listed.seq_from}")
