"""Archives of an organization: every document that somebody may read, with its journal and hashes, in one zip."""

import json
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import bigstack
from infra.storage import ObjectStore
from models import audit, content, documents, orgs, outbox, revisions
from models.audit import Act
from models.auth import Actor
from models.documents import DocumentView, crdt, history, journal
from models.documents.journal import Entry as Row
from models.documents.tables import GENESIS
from models.errors import DoxieError, Forbidden, NotFound
from models.exports.rendering import to_json
from models.exports.tables import Export, ExportPart
from models.orgs import OrgScope, Permission

ARCHIVE = "archive"
FORMAT = "doxie-archive/1"
PAGE = 200
LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Filed:
    """A document as it lies in an archive."""

    files: dict[str, bytes]
    """By path."""
    about: dict[str, Any]
    """What the manifest says of it."""


async def request_archive(session: AsyncSession, scope: OrgScope) -> Export:
    """Ask for everything one may read in the organization; a flow makes it."""
    scope.require(Permission.DOCUMENT_LIST)
    export = Export(org_id=scope.org_id, format=ARCHIVE, requested_by=scope.actor.user_id)
    session.add(export)
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.ORG_EXPORTED, export.id)
    await outbox.emit(session, outbox.EXPORT_REQUESTED, [(scope.org_id, export.id)])
    return export


def archive_key(org_id: UUID, export_id: UUID) -> str:
    """The name of an archive in the object store."""
    return f"orgs/{org_id}/archives/{export_id}.zip"


async def begin(session: AsyncSession, export: Export, *, upload_id: str | None, total: int | None) -> Export:
    """The archive is being made, from its beginning."""
    await session.execute(delete(ExportPart).where(*_of(export)))
    stored = await session.merge(export)
    stored.state, stored.done, stored.total, stored.upload_id = "running", 0, total, upload_id
    await session.flush()
    return stored


async def parts(session: AsyncSession, export: Export) -> list[ExportPart]:
    """What is in the object store already, in order, up to the end of a document."""
    found = list(await session.scalars(select(ExportPart).where(*_of(export)).order_by(col(ExportPart.number))))
    while found and found[-1].last_document is None:
        found.pop()
    return found


async def note_part(session: AsyncSession, export: Export, part: ExportPart, *, done: int) -> None:
    """One more part is in the object store; takes the place of one that a worker left in the middle of a document."""
    await session.merge(part)
    stored = await session.merge(export)
    stored.done = done
    await session.flush()


async def members(session: AsyncSession, actor: Actor, org_id: UUID, *, after: UUID | None) -> list[UUID]:
    """The next documents somebody may read in an organization, newest first, after one of them."""
    scope = await orgs.enter(session, actor, org_id)
    return [document.id for document in await documents.page(session, scope, after=after, limit=PAGE)]


async def file(session: AsyncSession, store: ObjectStore, actor: Actor, document_id: UUID) -> Filed | None:
    """The files of one document, with the rights of somebody; None if they may not read it any more."""
    try:
        document, scope = await documents.enter(session, actor, document_id)
        scope.require(Permission.DOCUMENT_READ)
    except (NotFound, Forbidden):
        return None
    rows: list[Row] = []
    try:
        rows = await history.entries(session, store, document_id, after=0, quarantined=True)
        loaded = await revisions.load_at(session, scope, store, document_id, rows[-1].seq if rows else 0)
        rendered = await bigstack.run(_rendered, loaded.updates)
        error = None
    except (DoxieError, crdt.Poisoned) as trouble:  # one document that is damaged must not cost all others
        rendered, error = {}, str(trouble)
    about = _about(document, rows, sorted(await journal.quarantined_seqs(session, document_id)), error)
    folder = f"documents/{document_id}"
    files = {f"{folder}/{name}": data for name, data in rendered.items()}
    files[f"{folder}/journal.bin"] = b"".join(LENGTH.pack(len(row.payload)) + row.payload for row in rows)
    files[f"{folder}/about.json"] = json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True).encode()
    return Filed(files, about)


async def walk(
    actor: Actor, org_id: UUID, after: UUID | None, transaction: Callable[[], AbstractAsyncContextManager[AsyncSession]]
) -> AsyncIterator[UUID]:
    """The documents of an archive one by one, each page in a transaction of its own."""
    while True:
        async with transaction() as session:
            page = await members(session, actor, org_id, after=after)
        for document_id in page:
            yield document_id
        if len(page) < PAGE:
            return
        after = page[-1]


def _rendered(updates: Sequence[bytes]) -> dict[str, bytes]:
    doc = crdt.build(updates)
    return render_files(doc) | {"document.yjs": crdt.encode(doc, updates)}


def render_files(doc: crdt.YDoc) -> dict[str, bytes]:
    """The files that can be made again from a document's journal, to compare."""
    return {"document.md": content.to_markdown(doc).encode(), "document.json": to_json(doc).encode()}


def _about(document: DocumentView, rows: Sequence[Row], quarantined: list[int], error: str | None) -> dict[str, Any]:
    chain = rows[-1].chain if rows else GENESIS
    return {
        "id": str(document.id),
        "title": document.title,
        "created_at": document.created_at.isoformat(),
        "seq": len(rows),
        "chain": bytes(chain).hex(),
        "quarantined": quarantined,
        "error": error,
    }


def _of(export: Export) -> tuple[Any, Any]:
    return col(ExportPart.org_id) == export.org_id, col(ExportPart.export_id) == export.id
