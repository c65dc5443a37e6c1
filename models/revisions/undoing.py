"""Bringing back what was: forward edits that undo, everybody's or one person's."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import bigstack
from infra.storage import ObjectStore
from models import audit
from models.audit import Act
from models.documents import Edit, crdt, history, journal, updates
from models.errors import Conflict
from models.orgs import OrgScope, Permission
from models.revisions import service


class NothingToRestore(Conflict):
    """The document is already as it was then."""


class NothingToUndo(Conflict):
    """They have not changed anything since then that is still there."""


async def restore(
    session: AsyncSession, scope: OrgScope, store: ObjectStore, document_id: UUID, number: int
) -> tuple[int, bytes]:
    """Make the document what it was at a revision, as one more edit; its seq and update.

    Raises:
        RevisionNotFound: the document has none such.
        NothingToRestore: it is already the same.
    """
    scope.require(Permission.DOCUMENT_WRITE)
    await service.hold(session, document_id)
    revision = await service.read(session, scope, document_id, number)
    base = await service.loaded_at(session, store, scope.org_id, document_id, revision.seq_to)
    later = await history.entries(session, store, document_id, after=revision.seq_to)
    forward = await bigstack.run(crdt.revert, base.updates, [entry.payload for entry in later])
    if forward == updates.NOTHING:
        raise NothingToRestore()
    seq = await _append(session, scope, document_id, forward, f"restore:{number}")
    await service.record(
        session, document_id, kind="restore", name=f"Restored revision {number}", created_by=scope.actor.user_id
    )
    actor_id = scope.actor.user_id
    await audit.record(session, scope.org_id, actor_id, Act.DOCUMENT_RESTORED, document_id, revision=number, seq=seq)
    return seq, forward


async def undo(
    session: AsyncSession, scope: OrgScope, store: ObjectStore, document_id: UUID, *, user_id: UUID, since: int
) -> tuple[int, bytes]:
    """Take back what one person did after a seq and leave what others did, as one more edit; its seq and update.

    What they wrote goes, also where others have formatted it; what they deleted comes back.

    Raises:
        SeqNotFound: the document never had that seq.
        NothingToUndo: there is nothing to take back.
    """
    scope.require(Permission.DOCUMENT_WRITE)
    await service.hold(session, document_id)
    base = await service.load_at(session, scope, store, document_id, since)
    later = await history.entries(session, store, document_id, after=since)
    theirs = [(entry.payload, entry.actor_id == user_id) for entry in later]
    forward = await bigstack.run(crdt.undone, base.updates, theirs)
    if forward == updates.NOTHING:
        raise NothingToUndo()
    seq = await _append(session, scope, document_id, forward, f"undo:{user_id}")
    name = f"Undid edits since seq {since}"
    await service.record(session, document_id, kind="restore", name=name, created_by=scope.actor.user_id)
    details = {"user_id": str(user_id), "since_seq": since, "seq": seq}
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.EDITS_UNDONE, document_id, **details)
    return seq, forward


async def _append(session: AsyncSession, scope: OrgScope, document_id: UUID, forward: bytes, origin: str) -> int:
    actor = scope.actor
    edit = Edit(scope.org_id, document_id, forward, actor.user_id, actor.session_id, origin)
    [seq] = await journal.append(session, [edit])
    return seq
