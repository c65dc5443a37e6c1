"""Bringing documents back from a restored database: as a forward edit, or, where they are gone, row by row.

`then` is a session of the restored database, `now` one of the real one; both see all organizations.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import bigstack
from infra.storage import ObjectStore
from models import audit, content, outbox
from models.audit import Act
from models.auth.tables import User
from models.base import OrgOwned, metadata
from models.documents import Edit, crdt, journal, state, updates
from models.documents.tables import Document, DocumentStream
from models.orgs import Organization

ORIGIN = "backup"
BATCH = 500

_DOCUMENT = (
    "documents",
    "document_streams",
    "document_updates",
    "document_segments",
    "quarantined_updates",
    "revisions",
    "document_texts",
)
"""What a document consists of, each after what it refers to."""

_ACCESS = ("document_grants", "share_links", "document_watches", "access_requests")
"""Who may read a document, and who wants to know of it."""


_WITHOUT: dict[str, dict[str, Any]] = {"documents": {"parent_id": None}, "organizations": {"deleted_at": None}}
"""Parents may come later; an organization that had been deleted would soon be gone again."""


async def documents_of(session: AsyncSession, org_id: UUID) -> list[UUID]:
    """The documents of an organization that are not in the trash."""
    query = select(Document.id).where(col(Document.org_id) == org_id, col(Document.trashed_at).is_(None))
    return sorted(await session.scalars(query))


async def owner_of(session: AsyncSession, document_id: UUID) -> UUID | None:
    """The organization whose a document is, if it is there."""
    found: UUID | None = await session.scalar(select(Document.org_id).where(col(Document.id) == document_id))
    return found


async def has_organization(session: AsyncSession, org_id: UUID) -> bool:
    """Whether there is such an organization."""
    return await session.get(Organization, org_id) is not None


async def exists(session: AsyncSession, org_id: UUID, document_id: UUID) -> bool:
    """Whether there is such a document, in the trash or not."""
    return await session.get(DocumentStream, (org_id, document_id)) is not None


async def make_as_then(
    then: AsyncSession, now: AsyncSession, store: ObjectStore, org_id: UUID, document_id: UUID
) -> list[tuple[int, bytes]]:
    """Make a document what it was, by edits like any other: (seq, update) of each; none where it is the same.

    Raises:
        DocumentGone: it is in the trash, now or then.
        StateUnavailable: its state cannot be read, now or then.
    """
    old = await state.load(then, store, document_id)
    new = await state.load(now, store, document_id)
    payloads = await bigstack.run(_forward, old.updates, new.updates)
    if not payloads:
        return []
    edits = [Edit(org_id, document_id, payload, None, None, ORIGIN) for payload in payloads]
    seqs = await journal.append(now, edits)
    await audit.record(now, org_id, None, Act.DOCUMENT_RESTORED, document_id, origin=ORIGIN, seq=seqs[-1])
    return list(zip(seqs, payloads, strict=True))


async def copy_document(then: AsyncSession, now: AsyncSession, org_id: UUID, document_id: UUID) -> int:
    """Bring a document back that is gone, and who may read it: the same rows under the same ids. How many."""
    copied = 0
    for name in (*_DOCUMENT, *_ACCESS):
        table = metadata.tables[name]
        column = table.c.id if name == "documents" else table.c.document_id
        copied += await _copy(then, now, table, [table.c.org_id == org_id, column == document_id])
    await outbox.emit(now, outbox.DOCUMENT_CHANGED, [(org_id, document_id)])
    await audit.record(now, org_id, None, Act.DOCUMENT_RESTORED, document_id, origin=ORIGIN, rows=copied)
    return copied


async def copy_access(
    then: AsyncSession, now: AsyncSession, org_id: UUID, documents: Sequence[UUID]
) -> Mapping[str, int]:
    """Bring back who could read documents that are there, as far as it is gone. How many rows of each table."""
    copied = Counter[str]()
    for table in (metadata.tables[name] for name in _ACCESS):
        conditions = [table.c.org_id == org_id, table.c.document_id.in_(documents)]
        copied[table.name] = await _copy(then, now, table, conditions)
    return +copied


async def reattach(then: AsyncSession, now: AsyncSession, org_id: UUID, documents: Sequence[UUID]) -> None:
    """Put documents that came back below those they stood below, where these are there."""
    query = select(Document.id, Document.parent_id).where(
        col(Document.org_id) == org_id, col(Document.id).in_(documents), col(Document.parent_id).is_not(None)
    )
    for document_id, parent_id in (await then.execute(query)).all():
        if parent_id is not None and await exists(now, org_id, parent_id):
            place = update(Document).where(col(Document.org_id) == org_id, col(Document.id) == document_id)
            await now.execute(place.where(col(Document.parent_id).is_(None)).values(parent_id=parent_id))


async def copy_organization(then: AsyncSession, now: AsyncSession, org_id: UUID) -> Mapping[str, int]:
    """Bring back what an organization owns besides its documents, where it is gone. How many rows of each table."""
    organizations = metadata.tables["organizations"]
    copied = Counter({"organizations": await _copy(then, now, organizations, [organizations.c.id == org_id])})
    owned = {mapper.__table__.name for mapper in OrgOwned.__subclasses__()}  # type: ignore[attr-defined]
    for table in metadata.sorted_tables:
        if table.name in owned - {*_DOCUMENT, "organization_backups"} and "document_id" not in table.c:
            copied[table.name] = await _copy(then, now, table, [table.c.org_id == org_id])
    return +copied


async def _copy(then: AsyncSession, now: AsyncSession, table: Table, conditions: Sequence[Any]) -> int:
    """Copy the rows of a table that are missing."""
    copied = 0
    result = await then.stream(table.select().where(*conditions))
    async for rows in result.mappings().partitions(BATCH):
        values = await _attached(now, table, [{**row, **_WITHOUT.get(table.name, {})} for row in rows])
        if not values:
            continue
        await _stand_in(now, _users(table, values))
        statement = insert(table).values(values).on_conflict_do_nothing()
        copied += len((await now.execute(statement.returning(*table.primary_key))).all())  # its rowcount is -1
    return copied


async def _attached(now: AsyncSession, table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those rows that refer to nothing that is gone, as a grant to a group would that was deleted."""
    for constraint in table.foreign_key_constraints:
        org, *rest = constraint.elements
        if not rest or constraint.referred_table is table:
            continue
        [other] = rest
        name, target = other.parent.name, other.column
        wanted = {row[name] for row in rows} - {None}
        mine = org.column.in_({row["org_id"] for row in rows})
        there = set(await now.scalars(select(target).where(mine, target.in_(wanted)))) if wanted else set()
        rows = [row for row in rows if row[name] is None or row[name] in there]
    return rows


def _users(table: Table, rows: Iterable[dict[str, Any]]) -> set[UUID]:
    """Whom rows refer to by a constraint."""
    columns = [
        key.parent.name for key in table.foreign_keys if key.column.table.name == "users" and key.column.name == "id"
    ]
    return {row[column] for row in rows for column in columns if row[column] is not None}


async def _stand_in(now: AsyncSession, users: set[UUID]) -> None:
    """Accounts that were removed stay removed: what they made refers to nobody in particular."""
    known = set(await now.scalars(select(User.id).where(col(User.id).in_(users)))) if users else set()
    for user_id in sorted(users - known):
        now.add(User(id=user_id, email=f"{user_id}@removed.invalid", name="Removed", password_hash=None))
    await now.flush()


def _forward(old: Sequence[bytes], new: Sequence[bytes]) -> list[bytes]:
    """The updates that make the newer document what the older was."""
    before, after = crdt.build(old), crdt.build(new)
    if _reads_alike(before, after):
        return []
    missing = updates.left(crdt.encode(before, old), after.get_state())
    lost = [missing] if missing[0] else []  # structs that only the backup has; deletions alone are repeated anyway
    undone = crdt.revert(old, [*new, *lost])
    return [*lost, *([] if undone == updates.NOTHING else [undone])]


def _reads_alike(one: crdt.YDoc, other: crdt.YDoc) -> bool:
    """Whether two documents of texts and rich text say the same, however that came about."""
    shown = content.root_texts(one)
    if (shown, content.to_prosemirror(one)) != (content.root_texts(other), content.to_prosemirror(other)):
        return False
    return {*one.keys(), *other.keys()} <= {*shown, "default"}  # of maps and arrays this says nothing
