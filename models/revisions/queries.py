"""The SQL of revisions."""

from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from models.documents.tables import Document, DocumentStream
from models.revisions.tables import Revision

_AUTHORS = (
    text("""
    SELECT COALESCE(array_agg(DISTINCT actor_id), '{}') FROM document_updates
    WHERE document_id = :document_id AND seq BETWEEN :first AND :last AND actor_id IS NOT NULL
""")
    .bindparams(bindparam("document_id", type_=Uuid))
    .columns(authors=ARRAY(Uuid))
)

_CHAIN = text("SELECT chain FROM document_updates WHERE document_id = :document_id AND seq = :seq").bindparams(
    bindparam("document_id", type_=Uuid)
)

_INDEX = text("""
    INSERT INTO document_texts (org_id, document_id, seq, text, words, updated_at)
    VALUES (:org_id, :document_id, :seq, :text, :words, now())
    ON CONFLICT (org_id, document_id) DO UPDATE SET
        seq = EXCLUDED.seq, text = EXCLUDED.text, words = EXCLUDED.words, updated_at = now()
    WHERE document_texts.seq <= EXCLUDED.seq
""").bindparams(bindparam("org_id", type_=Uuid), bindparam("document_id", type_=Uuid))


async def lock_document(session: AsyncSession, document_id: UUID) -> bool:
    """Lock the document's row, so that revisions are numbered one at a time; whether it is there.

    Not the stream's row: numbering must not hold up editors. And `NO KEY`, since every update that is
    appended refers to the document's key.
    """
    query = select(Document.id).where(Document.id == document_id).with_for_update(key_share=True)
    return (await session.execute(query)).first() is not None


async def stream(session: AsyncSession, document_id: UUID) -> DocumentStream | None:
    """The head of a journal."""
    query = select(DocumentStream).where(DocumentStream.document_id == document_id)
    return (await session.execute(query)).scalar_one_or_none()


async def newest(session: AsyncSession, document_id: UUID) -> Revision | None:
    """The revision with the highest number."""
    query = _of(document_id).order_by(col(Revision.number).desc()).limit(1)
    return (await session.execute(query)).scalar_one_or_none()


async def chain_at(session: AsyncSession, document_id: UUID, seq: int) -> bytes | None:
    """The chain hash after an update that is in the journal still."""
    chain: bytes | None = await session.scalar(_CHAIN, {"document_id": document_id, "seq": seq})
    return chain


async def pending(session: AsyncSession, document_id: UUID) -> list[Revision]:
    """Revisions without a snapshot yet, oldest first."""
    query = _of(document_id).where(Revision.state == "pending").order_by(col(Revision.number))
    return list(await session.scalars(query))


async def by_number(session: AsyncSession, document_id: UUID, number: int) -> Revision | None:
    """A revision by its number."""
    return (await session.execute(_of(document_id).where(Revision.number == number))).scalar_one_or_none()


async def page(session: AsyncSession, document_id: UUID, *, before: int | None, limit: int) -> list[Revision]:
    """Revisions with a number below `before`, newest first."""
    query = _of(document_id)
    if before is not None:
        query = query.where(Revision.number < before)
    return list(await session.scalars(query.order_by(col(Revision.number).desc()).limit(limit)))


async def stored_at_or_before(session: AsyncSession, document_id: UUID, seq: int) -> Revision | None:
    """The newest revision with a snapshot whose state is not newer than a seq."""
    query = (
        _of(document_id)
        .where(Revision.state == "stored", Revision.seq_to <= seq)
        .order_by(col(Revision.seq_to).desc(), col(Revision.number).desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def all_of(session: AsyncSession, document_id: UUID) -> list[Revision]:
    """All revisions, oldest first."""
    return list(await session.scalars(_of(document_id).order_by(col(Revision.number))))


async def newest_stored(session: AsyncSession, document_id: UUID, *, before: int | None = None) -> Revision | None:
    """The revision with a snapshot that has the highest number (below `before`)."""
    query = _of(document_id).where(col(Revision.state) == "stored")
    if before is not None:
        query = query.where(col(Revision.number) < before)
    return (await session.execute(query.order_by(col(Revision.number).desc()).limit(1))).scalar_one_or_none()


async def authors(session: AsyncSession, document_id: UUID, first: int, last: int) -> list[UUID]:
    """Who wrote the updates with first <= seq <= last."""
    parameters = {"document_id": document_id, "first": first, "last": last}
    return list((await session.execute(_AUTHORS, parameters)).scalar_one())


async def advance_snapshot(session: AsyncSession, document_id: UUID, seq: int, sha256: str) -> None:
    """Let the document be opened from this snapshot, unless a newer one is there."""
    await session.execute(
        update(DocumentStream)
        .where(col(DocumentStream.document_id) == document_id, col(DocumentStream.snapshot_seq) <= seq)
        .values(snapshot_seq=seq, snapshot_sha256=sha256)
    )


async def give_up_snapshot(session: AsyncSession, revision: Revision) -> bool:
    """Mark a stored revision as derived; false where it is something else by now."""
    statement = (
        update(Revision)
        .where(
            col(Revision.org_id) == revision.org_id, col(Revision.id) == revision.id, col(Revision.state) == "stored"
        )
        .values(state="derived", bytes_stored=0)
    )
    return bool((await session.execute(statement)).rowcount)  # type: ignore[attr-defined]


async def index(session: AsyncSession, revision: Revision, words: str) -> None:
    """Keep the words of a revision for search, unless newer ones are there."""
    await session.execute(
        _INDEX,
        {
            "org_id": revision.org_id,
            "document_id": revision.document_id,
            "seq": revision.seq_to,
            "text": words,
            "words": len(words.split()),
        },
    )


def _of(document_id: UUID) -> SelectOfScalar[Revision]:
    return select(Revision).where(Revision.document_id == document_id)
