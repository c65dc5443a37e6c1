"""Deleting documents for good: out of the trash, with their journals and everything that was made of them."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import audit, webhooks
from models.audit import Act
from models.documents import journal, queries, service, tree
from models.documents.tables import Document, DocumentStream
from models.errors import Conflict
from models.orgs import Level, OrgScope, Permission, require_token

AT_ONCE = 100
"""So many documents are erased in one transaction."""


class NotInTrash(Conflict):
    """Only what is in the trash can be deleted for good: move the document there first."""


async def erase(session: AsyncSession, scope: OrgScope, document_id: UUID) -> None:
    """Delete a document in the trash for good: journal, revisions, grants, links, exports, and who was told of it.

    Its objects stay until the sweep, since a backup may still bring the document back; the run ledger keeps its ids
    and hashes. Documents below it stand at the top from now on.

    Raises:
        NotInTrash: it is not in the trash.
        DocumentGone: it has been erased.
    """
    scope.require(Permission.DOCUMENT_DELETE)
    await tree.take_turns(session, scope.org_id)
    await _erase(session, scope, document_id)


async def empty_trash(session: AsyncSession, scope: OrgScope) -> int:
    """Erase what is in the trash, as far as one may and as much as fits into a transaction; how many documents."""
    require_token(scope.actor, Permission.DOCUMENT_DELETE)
    await tree.take_turns(session, scope.org_id)
    doomed = await _erasable(session, scope)
    for document_id in sorted(doomed):
        await _erase(session, scope, document_id)
    return len(doomed)


async def _erasable(session: AsyncSession, scope: OrgScope) -> list[UUID]:
    found: list[UUID] = []
    after = None
    while len(found) < AT_ONCE:
        views = await service.page(session, scope, trashed=True, after=after, limit=AT_ONCE)
        found += [view.id for view in views if view.level >= Level.MANAGE]
        if len(views) < AT_ONCE:
            break
        after = views[-1].id
    return found[:AT_ONCE]


async def _erase(session: AsyncSession, scope: OrgScope, document_id: UUID) -> None:
    found = await queries.find(session, document_id, for_update=True)
    if found is None:
        raise journal.DocumentGone([document_id])
    document, seq = found
    if document.trashed_at is None:
        raise NotInTrash()
    # The stream before the row itself: the pipeline locks the stream, and then refers to the row.
    await session.get(DocumentStream, (scope.org_id, document_id), with_for_update=True)
    about = {"title": document.title, "seq": seq}
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.DOCUMENT_ERASED, document_id, **about)
    what = {"document_id": str(document_id), "title": document.title}
    await webhooks.publish(session, scope.org_id, webhooks.Event.DOCUMENT_ERASED, f"erased:{document_id}", **what)
    session.expunge_all()  # the rows that hang on it go by themselves
    await session.execute(delete(Document).where(col(Document.org_id) == scope.org_id, col(Document.id) == document_id))
