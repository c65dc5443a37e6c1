"""Imports: asking for one, taking each thing in exactly once, and what came of it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock, hashing
from infra.storage import ObjectStore
from models import audit, documents, orgs, outbox
from models.audit import Act
from models.auth import Actor
from models.documents import Edit, journal, updates
from models.errors import Invalid, NotFound
from models.imports.converting import Converted
from models.imports.tables import Import, ImportItem
from models.imports.unpacking import Item, Kind
from models.orgs import OrgScope, Permission

MAX_ERROR = 2_000


class ImportNotFound(NotFound):
    """There is no such import."""


class NotImportable(Invalid):
    """Only Markdown, HTML, Word documents (.docx) and zips of them can be imported."""


def object_key(org_id: UUID, sha256: str) -> str:
    """The name of an uploaded file in the object store."""
    return f"orgs/{org_id}/imports/{sha256}"


async def request(
    session: AsyncSession, scope: OrgScope, store: ObjectStore, *, file_name: str, kind: Kind | None, data: bytes
) -> Import:
    """Ask for a file to become documents; a flow takes it in.

    Raises:
        NotImportable: it is of no such kind.
        QuotaReached: the organization has all it may have.
    """
    scope.require(Permission.DOCUMENT_CREATE)
    if kind is None:
        raise NotImportable()
    await documents.require_room(session, scope.org_id)
    sha256 = hashing.sha256_hex(data)
    await store.put(object_key(scope.org_id, sha256), data)
    wish = Import(
        org_id=scope.org_id,
        file_name=file_name,
        kind=kind,
        sha256=sha256,
        bytes=len(data),
        requested_by=scope.actor.user_id,
    )
    session.add(wish)
    await session.flush()
    details = {"file_name": file_name, "bytes": len(data)}
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.DOCUMENTS_IMPORTED, wish.id, **details)
    await outbox.emit(session, outbox.IMPORT_REQUESTED, [(scope.org_id, wish.id)])
    return wish


async def find(session: AsyncSession, import_id: UUID) -> Import:
    """An import by its id.

    Raises:
        ImportNotFound: there is none for the organizations of this session.
    """
    found: Import | None = (await session.execute(select(Import).where(Import.id == import_id))).scalar_one_or_none()
    if found is None:
        raise ImportNotFound()
    return found


async def see(session: AsyncSession, actor: Actor, import_id: UUID) -> tuple[Import, list[ImportItem]]:
    """An import and its report, for whoever asked for it.

    Raises:
        ImportNotFound: there is none for them.
    """
    found = await find(session, import_id)
    await orgs.enter(session, actor, found.org_id)
    if found.requested_by != actor.user_id:
        raise ImportNotFound()
    return found, await items(session, found)


async def items(session: AsyncSession, wish: Import) -> list[ImportItem]:
    """What became of each thing so far, in order."""
    query = select(ImportItem).where(ImportItem.org_id == wish.org_id, ImportItem.import_id == wish.id)
    return list(await session.scalars(query.order_by(col(ImportItem.position))))


async def begin(session: AsyncSession, wish: Import, *, total: int) -> None:
    """It is known what is in it."""
    stored = await find(session, wish.id)
    stored.state, stored.total = "running", total
    await session.flush()


async def take_in(session: AsyncSession, scope: OrgScope, wish: Import, item: Item, converted: Converted) -> None:
    """Make a thing a document, unless that was done already."""
    scope.require(Permission.DOCUMENT_CREATE)
    if not await _is_next(session, wish, item):
        return
    document = await documents.create(session, scope, title=converted.title)
    if converted.update != updates.NOTHING:
        actor = scope.actor
        edit = Edit(scope.org_id, document.id, converted.update, actor.user_id, actor.session_id, f"import:{wish.id}")
        await journal.append(session, [edit])
    await _note(session, wish, item, state="imported", document_id=document.id, notes=converted.notes)


async def refuse(session: AsyncSession, wish: Import, item: Item, error: str) -> None:
    """A thing cannot be taken in; the others can."""
    if await _is_next(session, wish, item):
        await _note(session, wish, item, state="failed", error=error[:MAX_ERROR])


async def settle(session: AsyncSession, wish: Import, *, flow_run_id: UUID | None) -> Import:
    """Everything was looked at. It has succeeded if anything became a document."""
    found = await items(session, wish)
    stored = await find(session, wish.id)
    succeeded = any(item.state == "imported" for item in found)
    stored.state = "succeeded" if succeeded else "failed"
    stored.error = None if succeeded else "Nothing could be imported."
    stored.finished_at, stored.flow_run_id = clock.now(), flow_run_id
    await session.flush()
    return stored


async def fail(session: AsyncSession, wish: Import, error: str, *, flow_run_id: UUID | None) -> None:
    """The file cannot be opened at all."""
    stored = await find(session, wish.id)
    stored.state, stored.error = "failed", error[:MAX_ERROR]
    stored.finished_at, stored.flow_run_id = clock.now(), flow_run_id
    await session.flush()


def left(all_items: Sequence[Item], done: Sequence[ImportItem]) -> list[Item]:
    """What has still to be looked at."""
    positions = {item.position for item in done}
    return [item for item in all_items if item.position not in positions]


async def _is_next(session: AsyncSession, wish: Import, item: Item) -> bool:
    """Whether nothing became of a thing yet; nobody else takes any of this import's in until the transaction ends."""
    await session.execute(select(Import.id).where(Import.org_id == wish.org_id, Import.id == wish.id).with_for_update())
    return await session.get(ImportItem, (wish.org_id, wish.id, item.position)) is None


async def _note(
    session: AsyncSession,
    wish: Import,
    item: Item,
    *,
    state: str,
    document_id: UUID | None = None,
    error: str | None = None,
    notes: Sequence[str] = (),
) -> None:
    session.add(
        ImportItem(
            org_id=wish.org_id,
            import_id=wish.id,
            position=item.position,
            path=item.path.replace("\0", ""),
            state=state,
            document_id=document_id,
            error=error and error.replace("\0", ""),
            notes=[note.replace("\0", "") for note in notes],
        )
    )
    await session.flush()
    stored = await find(session, wish.id)
    stored.done = len(await items(session, wish))
    await session.flush()
