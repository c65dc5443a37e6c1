"""Which document stands below which."""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Conflict, Invalid
from models.orgs import DocumentScope, OrgScope, Permission

_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended('tree:' || CAST(:org_id AS text), 0))")

_IS_BELOW = text("""
    WITH RECURSIVE above (id, parent_id) AS (
        SELECT id, parent_id FROM documents WHERE org_id = :org_id AND id = :start
        UNION
        SELECT documents.id, documents.parent_id FROM documents
        JOIN above ON documents.id = above.parent_id
        WHERE documents.org_id = :org_id
    )
    SELECT EXISTS (SELECT FROM above WHERE id = :document_id)
""").bindparams(*(bindparam(name, type_=Uuid) for name in ("org_id", "start", "document_id")))


class NotBelowItself(Conflict):
    """A document cannot stand below itself."""


class ElsewhereBelow(Invalid):
    """A document stands below one of its own organization."""


def below(scope: OrgScope, parent: DocumentScope | None) -> UUID | None:
    """The id of the document to stand below, if one may write there."""
    if parent is None:
        return None
    parent.require(Permission.DOCUMENT_WRITE)
    if parent.org_id != scope.org_id:
        raise ElsewhereBelow()
    return parent.document_id


async def take_turns(session: AsyncSession, org_id: UUID) -> None:
    """Two moves at once could make a circle that neither of them sees."""
    await session.execute(_TAKE_TURNS, {"org_id": str(org_id)})


async def refuse_circle(session: AsyncSession, org_id: UUID, document_id: UUID, parent_id: UUID) -> None:
    """Raises NotBelowItself where the parent stands below the document already."""
    names = {"org_id": org_id, "start": parent_id, "document_id": document_id}
    if await session.scalar(_IS_BELOW, names):
        raise NotBelowItself()
