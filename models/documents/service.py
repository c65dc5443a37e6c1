"""Documents: creating, reading, renaming, trashing, and adding to their journal."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from models import orgs
from models.auth import Actor
from models.documents import journal, queries
from models.documents.tables import Document, DocumentStream
from models.errors import PreconditionFailed
from models.orgs import OrgScope, Permission


class DocumentChanged(PreconditionFailed):
    """The document has changed since you read it."""


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as clients see it."""

    id: UUID
    org_id: UUID
    title: str
    seq: int
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None


async def enter(
    session: AsyncSession, actor: Actor, document_id: UUID, *, trashed: bool = False
) -> tuple[DocumentView, OrgScope]:
    """A document and the scope of the organization it belongs to.

    Raises:
        DocumentGone: it does not exist, is in the trash (unless `trashed`), or belongs to an
            organization one is not in; nobody learns which.
    """
    found = await queries.find(session, document_id)
    if found is None or (found[0].trashed_at is not None and not trashed):
        raise journal.DocumentGone([document_id])
    scope = await orgs.enter(session, actor, found[0].org_id)
    scope.require(Permission.DOCUMENT_READ)
    return _view(*found), scope


async def create(session: AsyncSession, scope: OrgScope, *, title: str) -> DocumentView:
    """A new, empty document."""
    scope.require(Permission.DOCUMENT_CREATE)
    document = Document(org_id=scope.org_id, title=title, created_by=scope.actor.user_id)
    session.add(document)
    await session.flush()
    session.add(DocumentStream(org_id=scope.org_id, document_id=document.id))
    await session.flush()
    return _view(document, 0)


async def page(
    session: AsyncSession, scope: OrgScope, *, after: UUID | None = None, limit: int = 50
) -> list[DocumentView]:
    """Documents of the organization that are not in the trash, newest first, after an id."""
    scope.require(Permission.DOCUMENT_READ)
    return [_view(*row) for row in await queries.page(session, scope.org_id, after=after, limit=limit)]


async def rename(
    session: AsyncSession, scope: OrgScope, document_id: UUID, *, title: str, version: int | None = None
) -> DocumentView:
    """Give a document another title.

    Raises:
        DocumentChanged: its version is another one than `version`.
    """
    scope.require(Permission.DOCUMENT_WRITE)
    document, seq = await _locked(session, document_id, version)
    document.title = title
    return await _touched(session, document, seq)


async def trash(session: AsyncSession, scope: OrgScope, document_id: UUID, *, version: int | None = None) -> None:
    """Put a document into the trash and close its journal."""
    await _set_trashed(session, scope, document_id, clock.now(), version)


async def recover(session: AsyncSession, scope: OrgScope, document_id: UUID) -> DocumentView:
    """Take a document out of the trash."""
    return await _set_trashed(session, scope, document_id, None, None)


async def edit(session: AsyncSession, scope: OrgScope, document_id: UUID, payload: bytes, *, origin: str) -> int:
    """Append one Yjs update that is known to apply; the seq it got."""
    scope.require(Permission.DOCUMENT_WRITE)
    actor = scope.actor
    new = journal.Edit(scope.org_id, document_id, payload, actor.user_id, actor.session_id, origin)
    [seq] = await journal.append(session, [new])
    return seq


async def _set_trashed(
    session: AsyncSession, scope: OrgScope, document_id: UUID, at: datetime | None, version: int | None
) -> DocumentView:
    scope.require(Permission.DOCUMENT_DELETE)
    document, seq = await _locked(session, document_id, version)
    document.trashed_at = at
    stream = await session.get(DocumentStream, (scope.org_id, document_id), with_for_update=True)
    assert stream is not None, "a document and its stream are created together"
    stream.closed = at is not None
    return await _touched(session, document, seq)


async def _locked(session: AsyncSession, document_id: UUID, version: int | None) -> tuple[Document, int]:
    found = await queries.find(session, document_id, for_update=True)
    if found is None:
        raise journal.DocumentGone([document_id])
    document, seq = found
    if version is not None and document.version != version:
        raise DocumentChanged()
    return document, seq


async def _touched(session: AsyncSession, document: Document, seq: int) -> DocumentView:
    document.version += 1
    document.updated_at = clock.now()
    await session.flush()
    return _view(document, seq)


def _view(document: Document, seq: int) -> DocumentView:
    return DocumentView(
        id=document.id,
        org_id=document.org_id,
        title=document.title,
        seq=seq,
        version=document.version,
        created_by=document.created_by,
        created_at=document.created_at,
        updated_at=document.updated_at,
        trashed_at=document.trashed_at,
    )
