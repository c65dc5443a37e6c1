"""Documents: creating, reading, renaming, trashing, and adding to their journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.direct import Executes
from models import audit, orgs, webhooks
from models.audit import Act
from models.auth import Actor
from models.documents import journal, queries, tree
from models.documents.queries import Guarded
from models.documents.tables import Document, DocumentStream
from models.documents.usage import OrganizationFull, fullness, require_room
from models.errors import Forbidden, NotFound, PreconditionFailed
from models.orgs import DocumentScope, Level, LinkScope, LinkVisitor, OrgScope, Permission, Role


class DocumentChanged(PreconditionFailed):
    """The document has changed since you read it."""


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as clients see it."""

    id: UUID
    org_id: UUID
    parent_id: UUID | None
    title: str
    seq: int
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None
    org_access: Level
    """The level of the organization's members who are granted nothing else."""
    level: Level
    """The level of whoever asked."""


async def enter(
    session: AsyncSession, actor: Actor, document_id: UUID, *, trashed: bool = False
) -> tuple[DocumentView, DocumentScope]:
    """A document and what whoever asks may do with it. One round trip.

    A member who may not read it learns that it exists, and no more, so that they can ask for access. A guest does not
    even learn that: they were let in for some documents, and are outsiders to all others.

    Raises:
        DocumentGone: it does not exist, is in the trash (unless `trashed`), was not granted to the guest who asks, or
            belongs to an organization one is not in (any more); nobody learns which.
        MayNot: a member who may not read it.
    """
    found = await queries.seen(session, document_id, actor.user_id)
    if found is None or (found[0].trashed_at is not None and not trashed):
        raise journal.DocumentGone([document_id])
    document, seq, role, granted = found
    scope = _admitted(actor, document, Role(role), granted)
    return _view(document, seq, scope.level), scope


async def enter_each(
    session: AsyncSession, asked: Sequence[tuple[Actor, UUID]]
) -> list[DocumentScope | NotFound | Forbidden]:
    """What each of many people may do with a document, or why nothing: as `enter` decides. One round trip.

    The session must be scoped to the organizations of all of them.
    """
    rows = await queries.seen_by_many(session, [(actor.user_id, document_id) for actor, document_id in asked])
    seen = {(row.user_id, row.id): row for row in rows}
    found: list[DocumentScope | NotFound | Forbidden] = []
    for actor, document_id in asked:
        try:
            if (row := seen.get((actor.user_id, document_id))) is None:
                raise journal.DocumentGone([document_id])
            found.append(_admitted(actor, row, Role(row.role), row.granted))
        except (NotFound, Forbidden) as error:
            found.append(error)
    return found


async def approach(session: AsyncSession, actor: Actor, document_id: UUID) -> DocumentScope | None:
    """The scope of somebody at a document that they may not even be allowed to read; None where they are outsiders."""
    found = await queries.seen(session, document_id, actor.user_id)
    if found is None or found[0].trashed_at is not None:
        return None
    document, _, role, granted = found
    return _scope(actor, document, Role(role), granted)


async def visit(session: AsyncSession, visitor: LinkVisitor) -> tuple[DocumentView, LinkScope]:
    """A document as somebody sees it who has a live link to it.

    Raises:
        DocumentGone: it is gone.
    """
    found = await queries.find(session, visitor.document_id)
    if found is None or found[0].trashed_at is not None or found[0].org_id != visitor.org_id:
        raise journal.DocumentGone([visitor.document_id])
    scope = orgs.by_link(visitor)
    document, seq = found
    return _view(document, seq, scope.level), scope


async def may_write(session: Executes, pairs: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], bool]:
    """Of many pairs of a user and a document: those who may read it, and whether they may write. One round trip.

    For whoever watches over many at once; the session must be scoped to the organizations of all these documents.
    """
    found = {}
    for row in await queries.seen_by_many(session, pairs):
        scope = _scope(Actor(row.user_id, None, ""), row, Role(row.role), row.granted)
        if scope.allows(Permission.DOCUMENT_READ):
            found[row.user_id, row.id] = scope.allows(Permission.DOCUMENT_WRITE)
    return found


async def create(
    session: AsyncSession,
    scope: OrgScope,
    *,
    title: str,
    parent: DocumentScope | None = None,
    org_access: Level | None = None,
) -> DocumentView:
    """A new, empty document, below another one that one may write.

    Without `org_access` its members may do what is set in the organization.

    Raises:
        QuotaReached: the organization has all it may have.
    """
    scope.require(Permission.DOCUMENT_CREATE)
    await require_room(session, scope.org_id)
    parent_id = tree.below(scope, parent)
    access = (await orgs.read(session, scope)).default_org_access if org_access is None else org_access
    document = Document(org_id=scope.org_id, title=title, created_by=scope.actor.user_id, org_access=access)
    document.parent_id = parent_id
    session.add(document)
    await session.flush()
    session.add(DocumentStream(org_id=scope.org_id, document_id=document.id))
    await session.flush()
    about = {"document_id": str(document.id), "title": title, "created_by": str(scope.actor.user_id)}
    await webhooks.publish(session, scope.org_id, webhooks.Event.DOCUMENT_CREATED, f"created:{document.id}", **about)
    return _view(document, 0, Level.MANAGE)


async def page(
    session: AsyncSession, scope: OrgScope, *, trashed: bool = False, after: UUID | None = None, limit: int = 50
) -> list[DocumentView]:
    """What one may read outside the trash or, if `trashed`, in it; newest first, after an id."""
    scope.require(Permission.DOCUMENT_LIST)
    actor = scope.actor
    rows = await queries.page(
        session, scope.org_id, actor.user_id, role=scope.role, trashed=trashed, after=after, limit=limit
    )
    return [_view(document, seq, _scope(actor, document, scope.role, granted).level) for document, seq, granted in rows]


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
    return await _touched(session, scope, document, seq)


async def move(
    session: AsyncSession,
    scope: DocumentScope,
    parent: DocumentScope | None,
    *,
    version: int | None = None,
) -> DocumentView:
    """Put a document below another one that one may write, or (None) below none.

    Raises:
        NotBelowItself: the other one stands below this one.
        DocumentChanged: its version is another one than `version`.
    """
    scope.require(Permission.DOCUMENT_WRITE)
    parent_id = tree.below(scope, parent)
    await tree.take_turns(session, scope.org_id)
    document, seq = await _locked(session, scope.document_id, version)
    if parent_id is not None:
        await tree.refuse_circle(session, scope.org_id, scope.document_id, parent_id)
    document.parent_id = parent_id
    return await _touched(session, scope, document, seq)


async def trash(session: AsyncSession, scope: OrgScope, document_id: UUID, *, version: int | None = None) -> None:
    """Put a document into the trash and close its journal."""
    await _set_trashed(session, scope, document_id, clock.now(), version)


async def recover(session: AsyncSession, scope: OrgScope, document_id: UUID) -> DocumentView:
    """Take a document out of the trash."""
    return await _set_trashed(session, scope, document_id, None, None)


async def edit(session: AsyncSession, scope: OrgScope, document_id: UUID, payload: bytes, *, origin: str) -> int:
    """Append one Yjs update that is known to apply; the seq it got."""
    [seq] = await journal.append(session, [edit_by(scope, document_id, payload, origin=origin)])
    return seq


def edit_by(scope: OrgScope, document_id: UUID, payload: bytes, *, origin: str) -> journal.Edit:
    """A line for the journal by somebody who may write.

    Raises:
        OrganizationFull: the organization has all the bytes it may have.
    """
    scope.require(Permission.DOCUMENT_WRITE)
    if fullness.has(scope.org_id):
        raise OrganizationFull()
    actor = scope.actor
    return journal.Edit(scope.org_id, document_id, payload, actor.user_id, actor.session_id, origin)


async def _set_trashed(
    session: AsyncSession, scope: OrgScope, document_id: UUID, at: datetime | None, version: int | None
) -> DocumentView:
    scope.require(Permission.DOCUMENT_DELETE)
    document, seq = await _locked(session, document_id, version)
    document.trashed_at = at
    stream = await session.get(DocumentStream, (scope.org_id, document_id), with_for_update=True)
    assert stream is not None, "a document and its stream are created together"
    stream.closed = at is not None
    act = Act.DOCUMENT_TRASHED if at else Act.DOCUMENT_RECOVERED
    await audit.record(session, scope.org_id, scope.actor.user_id, act, document_id)
    touched = await _touched(session, scope, document, seq)
    if at is not None:
        about = {"document_id": str(document_id), "title": document.title}
        await webhooks.publish(
            session, scope.org_id, webhooks.Event.DOCUMENT_TRASHED, f"trashed:{document_id}:{at}", **about
        )
    return touched


async def _locked(session: AsyncSession, document_id: UUID, version: int | None) -> tuple[Document, int]:
    found = await queries.find(session, document_id, for_update=True)
    if found is None:
        raise journal.DocumentGone([document_id])
    document, seq = found
    if version is not None and document.version != version:
        raise DocumentChanged()
    return document, seq


async def _touched(session: AsyncSession, scope: OrgScope, document: Document, seq: int) -> DocumentView:
    document.version += 1
    document.updated_at = clock.now()
    await session.flush()
    return _view(document, seq, scope.level if isinstance(scope, DocumentScope) else Level.MANAGE)


def _admitted(actor: Actor, document: Guarded, role: Role, granted: int) -> DocumentScope:
    scope = _scope(actor, document, role, granted)
    if scope.role == Role.GUEST and not scope.allows(Permission.DOCUMENT_READ):
        raise journal.DocumentGone([document.id])
    scope.require(Permission.DOCUMENT_READ)
    return scope


def _scope(actor: Actor, document: Guarded, role: Role, granted: int) -> DocumentScope:
    return orgs.at_document(
        actor,
        org_id=document.org_id,
        role=role,
        document_id=document.id,
        is_creator=document.created_by == actor.user_id,
        org_access=document.org_access,
        granted=granted,
    )


def _view(document: Document, seq: int, level: Level) -> DocumentView:
    return DocumentView(
        id=document.id,
        org_id=document.org_id,
        parent_id=document.parent_id,
        title=document.title,
        seq=seq,
        version=document.version,
        created_by=document.created_by,
        created_at=document.created_at,
        updated_at=document.updated_at,
        trashed_at=document.trashed_at,
        org_access=Level(document.org_access),
        level=level,
    )
