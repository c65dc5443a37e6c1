"""Revisions: naming a moment, folding the journal into snapshots, travelling in time."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import bigstack, compression, hashing
from infra.storage import ObjectStore
from models import content, documents, notifications, outbox, webhooks
from models.documents import Edit, Loaded, crdt, history, journal, state
from models.documents.tables import DocumentStream
from models.errors import Invalid, NotFound
from models.orgs import OrgScope, Permission
from models.revisions import queries
from models.revisions.tables import Revision


class RevisionNotFound(NotFound):
    """There is no such revision."""


class SeqNotFound(Invalid):
    """The document has no such seq."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The state of a document at a revision, ready to be stored."""

    data: bytes
    """One Yjs v1 update, nothing left out."""
    sha256: str
    text: str


async def page(
    session: AsyncSession, scope: OrgScope, document_id: UUID, *, before: int | None = None, limit: int = 50
) -> list[Revision]:
    """Revisions with a number below `before`, newest first."""
    scope.require(Permission.DOCUMENT_READ)
    return await queries.page(session, document_id, before=before, limit=limit)


async def read(session: AsyncSession, scope: OrgScope, document_id: UUID, number: int) -> Revision:
    """A revision by its number.

    Raises:
        RevisionNotFound: the document has none such.
    """
    scope.require(Permission.DOCUMENT_READ)
    revision = await queries.by_number(session, document_id, number)
    if revision is None:
        raise RevisionNotFound()
    return revision


async def name(session: AsyncSession, scope: OrgScope, document_id: UUID, *, name: str) -> Revision:
    """Give the document as it is now a name to come back to. A flow stores its snapshot soon."""
    scope.require(Permission.DOCUMENT_WRITE)
    revision = await record(session, document_id, kind="named", name=name, created_by=scope.actor.user_id)
    assert revision is not None, "named revisions are made even where nothing is new"
    await outbox.emit(session, outbox.DOCUMENT_CHANGED, [(scope.org_id, document_id)])
    return revision


async def capture(session: AsyncSession, document_id: UUID) -> list[Revision]:
    """The revisions of a document that wait for a snapshot, oldest first.

    What has been written since the last revision becomes one. Called by the pipeline, which acts
    for the organization and not for a person.

    Raises:
        DocumentGone: there is no such document.
    """
    await record(session, document_id, kind="automatic")
    return await queries.pending(session, document_id)


async def pending(session: AsyncSession, document_id: UUID) -> list[Revision]:
    """Those that wait for a snapshot already, oldest first. Called by the pipeline."""
    return await queries.pending(session, document_id)


async def fold(session: AsyncSession, store: ObjectStore, revision: Revision) -> Folded:
    """The state of a revision, from the nearest snapshot before it and the journal.

    Raises:
        StateUnavailable: the snapshot cannot be read.
        Poisoned: an update does not apply; it has to be quarantined first.
    """
    loaded = await loaded_at(session, store, revision.org_id, revision.document_id, revision.seq_to)
    return await bigstack.run(_fold, loaded.updates)


async def newest_stored(session: AsyncSession, document_id: UUID) -> Revision | None:
    """The newest revision with a snapshot. Called by the pipeline."""
    return await queries.newest_stored(session, document_id)


async def refold(session: AsyncSession, store: ObjectStore, revision: Revision) -> Folded:
    """Fold a stored revision once more from what it was folded from; it must come out the same.

    Raises:
        StateUnavailable: the snapshot before it cannot be read.
    """
    base = await queries.newest_stored(session, revision.document_id, before=revision.number)
    updates = await _updates(session, store, base, revision.org_id, revision.document_id, revision.seq_to)
    return await bigstack.run(_fold, updates)


async def quarantine(session: AsyncSession, store: ObjectStore, revision: Revision, poison: crdt.Poisoned) -> int:
    """Keep the update at which a fold broke off out of the document from now on; its seq.

    Raises:
        StateUnavailable: it is the snapshot that does not apply.
    """
    base = await queries.stored_at_or_before(session, revision.document_id, revision.seq_to)
    place = poison.index - (1 if base else 0)
    if place < 0:
        raise documents.StateUnavailable(f"the snapshot before seq {revision.seq_to} does not apply")
    after = base.seq_to if base else 0
    entry = (await history.entries(session, store, revision.document_id, after=after, upto=revision.seq_to))[place]
    edit = Edit(revision.org_id, revision.document_id, entry.payload, entry.actor_id, None, "fold")
    await journal.quarantine(session, edit, error=poison.error, seq=entry.seq)
    return entry.seq


async def fold_from(session: AsyncSession, store: ObjectStore, revision: Revision, base: Revision | None) -> Folded:
    """The state of a revision, from the snapshot of an older one (none: from the first update) and what came after.

    Raises:
        StateUnavailable: the snapshot cannot be read.
        HistoryUnavailable: what came after cannot.
    """
    updates = await _updates(session, store, base, revision.org_id, revision.document_id, revision.seq_to)
    return await bigstack.run(_fold, updates)


async def all_stored(session: AsyncSession, document_id: UUID) -> list[Revision]:
    """The revisions with a snapshot, oldest first. Called by the pipeline."""
    return [revision for revision in await queries.all_of(session, document_id) if revision.state == "stored"]


async def derive(session: AsyncSession, revision: Revision) -> bool:
    """A revision's snapshot is given up: from now on it is folded when somebody asks. Whether it still had one."""
    return await queries.give_up_snapshot(session, revision)


async def store_snapshot(store: ObjectStore, revision: Revision, folded: Folded) -> int:
    """Write a folded state and read it back; the bytes it takes.

    Raises:
        ObjectCorrupt: it does not read back as it was written.
    """
    frame = compression.compress(folded.data)
    await store.put(state.snapshot_key(revision.org_id, folded.sha256), frame)
    return len(frame)


async def settle(
    session: AsyncSession, revision: Revision, folded: Folded, *, bytes_stored: int, flow_run_id: UUID | None
) -> None:
    """The snapshot is verified: from now on the revision and the document can be opened from it.

    Locks the document's row first, as who erases it does: in another order each would wait for the other.

    Raises:
        DocumentGone: there is no such document any more.
    """
    await hold(session, revision.document_id)
    stored = await session.merge(revision)
    stored.state = "stored"
    stored.sha256 = folded.sha256
    stored.bytes_raw = len(folded.data)
    stored.bytes_stored = bytes_stored
    stored.flow_run_id = flow_run_id
    await session.flush()
    await queries.advance_snapshot(session, revision.document_id, revision.seq_to, folded.sha256)
    await queries.index(session, revision, folded.text)
    await _tell(session, stored)


async def _tell(session: AsyncSession, revision: Revision) -> None:
    org_id, document_id, authors = revision.org_id, revision.document_id, list(revision.authors)
    event = f"revision:{revision.id}"
    await notifications.tell_watchers(
        session, org_id, document_id, event, authors=authors, revision=revision.number, name=revision.name
    )
    about = {
        "document_id": str(document_id),
        "revision": revision.number,
        "kind": revision.kind,
        "name": revision.name,
        "seq_from": revision.seq_from,
        "seq_to": revision.seq_to,
        "sha256": revision.sha256,
        "authors": [str(author) for author in authors],
    }
    await webhooks.publish(session, org_id, webhooks.Event.REVISION_STORED, event, **about)


async def state_at(
    session: AsyncSession, scope: OrgScope, store: ObjectStore, document_id: UUID, seq: int | None = None
) -> bytes:
    """The document after the update `seq` (now, without one) as one Yjs v1 update.

    Raises:
        SeqNotFound: the document never had that seq.
        StateUnavailable: the stored state cannot be read.
    """
    loaded = await load_at(session, scope, store, document_id, seq)
    return await bigstack.run(lambda: crdt.encode(crdt.build(loaded.updates), loaded.updates))


async def load_at(
    session: AsyncSession, scope: OrgScope, store: ObjectStore, document_id: UUID, seq: int | None = None
) -> Loaded:
    """The updates that make the document as of `seq`; see `state_at`."""
    scope.require(Permission.DOCUMENT_READ)
    newest = (await head(session, document_id)).seq
    wanted = newest if seq is None else seq
    if not 0 <= wanted <= newest:
        raise SeqNotFound(f"The document has the seqs 0 to {newest}.")
    return await loaded_at(session, store, scope.org_id, document_id, wanted)


async def hold(session: AsyncSession, document_id: UUID) -> None:
    """Lock the document's row before anything else of it is locked; see `record`.

    Raises:
        DocumentGone: there is no such document.
    """
    if not await queries.lock_document(session, document_id):
        raise documents.DocumentGone([document_id])


async def record(
    session: AsyncSession,
    document_id: UUID,
    *,
    kind: str,
    name: str | None = None,
    created_by: UUID | None = None,
) -> Revision | None:
    """A new pending revision of everything since the last one; None if it is automatic and nothing is new.

    Locks the document's row. Whoever appends to the journal as well has to lock that row first, with
    `hold`: the lock on the journal comes after it, and those in the outbox last.
    """
    await hold(session, document_id)
    stream = await head(session, document_id)
    last = await queries.newest(session, document_id)
    first = last.seq_to + 1 if last else 1
    if kind == "automatic" and stream.seq < first:
        return None
    revision = Revision(
        org_id=stream.org_id,
        document_id=document_id,
        number=last.number + 1 if last else 1,
        kind=kind,
        name=name,
        seq_from=first,
        seq_to=stream.seq,
        authors=await queries.authors(session, document_id, first, stream.seq),
        chain=stream.chain,  # its row may be archived
        created_by=created_by,
    )
    session.add(revision)
    await session.flush()
    return revision


async def loaded_at(session: AsyncSession, store: ObjectStore, org_id: UUID, document_id: UUID, seq: int) -> Loaded:
    """The updates that make a document of an organization as of a seq that it has had."""
    base = await queries.stored_at_or_before(session, document_id, seq)
    return Loaded(seq, await _updates(session, store, base, org_id, document_id, seq))


async def _updates(
    session: AsyncSession,
    store: ObjectStore,
    base: Revision | None,
    org_id: UUID,
    document_id: UUID,
    seq: int,
) -> list[bytes]:
    """The snapshot of a revision, then the journal after it up to a seq."""
    updates: list[bytes] = []
    if base is not None and base.sha256 is not None:
        updates.append(await state.read_snapshot(store, org_id, base.sha256))
    entries = await history.entries(session, store, document_id, after=base.seq_to if base else 0, upto=seq)
    updates.extend(entry.payload for entry in entries)
    return updates


async def head(session: AsyncSession, document_id: UUID) -> DocumentStream:
    """The head of a document's journal.

    Raises:
        DocumentGone: there is no such document.
    """
    stream = await queries.stream(session, document_id)
    if stream is None:
        raise documents.DocumentGone([document_id])
    return stream


def _fold(updates: list[bytes]) -> Folded:
    doc = crdt.build(updates)
    data = crdt.encode(doc, updates)
    return Folded(data, hashing.sha256_hex(data), words(doc))


def words(doc: crdt.YDoc) -> str:
    """What can be searched for; nothing where the document nests deeper than can be read: it is kept all the same."""
    try:
        return content.to_text(doc)
    except content.ContentError:
        return ""
