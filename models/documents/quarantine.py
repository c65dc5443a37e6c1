"""Updates that were put aside because they do not apply: for operators, who look at what hit a document."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from models.documents.tables import QuarantinedUpdate
from models.errors import NotFound


class NotQuarantined(NotFound):
    """There is no such quarantined update."""


async def newest(
    session: AsyncSession, document_id: UUID | None = None, *, limit: int = 100
) -> Sequence[QuarantinedUpdate]:
    """The newest quarantined updates of a document, or of all that this session sees."""
    query = select(QuarantinedUpdate).order_by(col(QuarantinedUpdate.id).desc()).limit(limit)
    if document_id is not None:
        query = query.where(QuarantinedUpdate.document_id == document_id)
    return (await session.scalars(query)).all()


async def read(session: AsyncSession, update_id: UUID) -> QuarantinedUpdate:
    """One quarantined update.

    Raises:
        NotQuarantined: there is none such.
    """
    query = select(QuarantinedUpdate).where(QuarantinedUpdate.id == update_id)
    found: QuarantinedUpdate | None = (await session.scalars(query)).one_or_none()
    if found is None:
        raise NotQuarantined()
    return found
