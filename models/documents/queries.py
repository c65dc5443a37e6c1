"""The SQL of documents."""

from uuid import UUID

from sqlalchemy import Row, Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from models.documents.tables import Document, DocumentStream

Listed = Row[tuple[Document, int]]


async def find(session: AsyncSession, document_id: UUID, *, for_update: bool = False) -> Listed | None:
    """The document and the seq of its journal, if this session may see it."""
    query = _with_seq().where(col(Document.id) == document_id)
    if for_update:
        query = query.with_for_update(of=Document, key_share=True)
    return (await session.execute(query)).one_or_none()


async def page(session: AsyncSession, org_id: UUID, *, after: UUID | None, limit: int) -> list[Listed]:
    """Documents of an organization that are not in the trash, newest first, after an id."""
    query = _with_seq().where(col(Document.org_id) == org_id, col(Document.trashed_at).is_(None))
    if after is not None:
        query = query.where(col(Document.id) < after)
    return list(await session.execute(query.order_by(col(Document.id).desc()).limit(limit)))


def _with_seq() -> Select[tuple[Document, int]]:
    return select(Document, DocumentStream.seq).join(
        DocumentStream,
        (col(DocumentStream.document_id) == Document.id) & (col(DocumentStream.org_id) == Document.org_id),
    )
