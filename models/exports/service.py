"""Exports: asking for one, making it, fetching it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from infra import clock, hashing
from infra.storage import ObjectStore
from models import audit, documents, notifications, orgs, outbox, revisions, webhooks
from models.audit import Act
from models.auth import Actor
from models.documents import Loaded
from models.errors import Conflict, NotFound
from models.exports import archiving, rendering
from models.exports.rendering import Format
from models.exports.tables import Export
from models.notifications import Kind
from models.orgs import OrgScope, Permission


class ExportNotFound(NotFound):
    """There is no such export."""


class ExportNotReady(Conflict):
    """The export is not ready yet, or has failed."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """An export ready to be stored."""

    seq: int
    data: bytes
    sha256: str


async def request(
    session: AsyncSession, scope: OrgScope, document_id: UUID, *, format: Format, revision: int | None = None
) -> Export:
    """Ask for a document in a format; a flow makes it.

    Raises:
        RevisionNotFound: the document has no such revision.
    """
    scope.require(Permission.DOCUMENT_READ)
    if revision is not None:
        await revisions.read(session, scope, document_id, revision)
    export = Export(
        org_id=scope.org_id,
        document_id=document_id,
        format=format,
        revision=revision,
        requested_by=scope.actor.user_id,
    )
    session.add(export)
    await session.flush()
    await audit.record(
        session, scope.org_id, scope.actor.user_id, Act.DOCUMENT_EXPORTED, document_id, format=format, revision=revision
    )
    await outbox.emit(session, outbox.EXPORT_REQUESTED, [(scope.org_id, export.id)])
    return export


async def find(session: AsyncSession, export_id: UUID) -> Export:
    """An export by its id.

    Raises:
        ExportNotFound: there is none for the organizations of this session.
    """
    export: Export | None = (await session.execute(select(Export).where(Export.id == export_id))).scalar_one_or_none()
    if export is None:
        raise ExportNotFound()
    return export


async def load(session: AsyncSession, scope: OrgScope, store: ObjectStore, export: Export) -> Loaded:
    """What is to be exported, with the rights of who asked."""
    assert export.document_id is not None, "archives are not loaded as a whole"
    seq = None
    if export.revision is not None:
        seq = (await revisions.read(session, scope, export.document_id, export.revision)).seq_to
    return await revisions.load_at(session, scope, store, export.document_id, seq)


async def see(session: AsyncSession, actor: Actor, export_id: UUID) -> Export:
    """An export, for somebody who may read the document, or who asked for the archive.

    Raises:
        ExportNotFound: there is none for them.
    """
    export = await find(session, export_id)
    if export.document_id is not None:
        await documents.enter(session, actor, export.document_id, trashed=True)
    elif export.requested_by != actor.user_id:
        raise ExportNotFound()  # others may not read what is in it
    else:
        (await orgs.enter(session, actor, export.org_id)).require(Permission.DOCUMENT_LIST)
    return export


async def render(export: Export, loaded: Loaded, *, title: str) -> Rendered:
    """The document in the format.

    Raises:
        CannotConvert: it cannot be converted.
    """
    data = await rendering.render(loaded.updates, Format(export.format), title=title)
    return Rendered(loaded.seq, data, hashing.sha256_hex(data))


def object_key(org_id: UUID, sha256: str) -> str:
    """The name of an export in the object store."""
    return f"orgs/{org_id}/exports/{sha256}"


async def settle(session: AsyncSession, export: Export, rendered: Rendered, *, flow_run_id: UUID | None) -> Export:
    """The export is stored: it can be fetched."""
    stored = await _finished(session, export, flow_run_id)
    stored.seq, stored.sha256, stored.bytes = rendered.seq, rendered.sha256, len(rendered.data)
    await _tell(session, stored)
    return stored


async def settle_archive(
    session: AsyncSession, export: Export, sha256: str, size: int, *, flow_run_id: UUID | None
) -> None:
    """The archive is stored: it can be fetched."""
    stored = await _finished(session, export, flow_run_id)
    stored.sha256, stored.bytes, stored.done, stored.upload_id = sha256, size, stored.total or 0, None
    await _tell(session, stored)


async def fail(session: AsyncSession, export: Export, error: str, *, flow_run_id: UUID | None) -> None:
    """The export cannot be made."""
    await _tell(session, await _finished(session, export, flow_run_id, error=error[:2000]))


async def _finished(
    session: AsyncSession, export: Export, flow_run_id: UUID | None, *, error: str | None = None
) -> Export:
    """The export as it is stored, with its end noted."""
    stored = await find(session, export.id)
    stored.state, stored.finished_at, stored.error = "failed" if error else "succeeded", clock.now(), error
    stored.flow_run_id = flow_run_id
    return stored


async def _tell(session: AsyncSession, export: Export) -> None:
    """Tell whoever asked for it, and the webhooks, what became of an export; once, however often it is made again."""
    await session.flush()
    document_id, event = export.document_id, f"export:{export.id}:{export.state}"
    kind = Kind.EXPORT_FAILED if export.state == "failed" else Kind.EXPORT_SUCCEEDED
    await notifications.tell(
        session,
        export.org_id,
        [export.requested_by],
        kind,
        event,
        document_id=document_id,
        export_id=str(export.id),
        format=export.format,
    )
    if kind is Kind.EXPORT_SUCCEEDED:
        about = {
            "export_id": str(export.id),
            "format": export.format,
            "document_id": str(document_id) if document_id else None,
            "sha256": export.sha256,
        }
        await webhooks.publish(session, export.org_id, webhooks.Event.EXPORT_SUCCEEDED, event, **about)


async def pieces(store: ObjectStore, export: Export) -> AsyncIterator[bytes]:
    """The bytes of an export, piece by piece.

    Raises:
        ExportNotReady: there are none.
    """
    if export.sha256 is None or export.bytes is None:
        raise ExportNotReady()
    is_archive = export.document_id is None
    key = archiving.archive_key(export.org_id, export.id) if is_archive else object_key(export.org_id, export.sha256)
    return store.pieces(key, export.bytes)
