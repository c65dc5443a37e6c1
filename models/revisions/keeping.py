"""Keeping what a document was before most of it is deleted: by a mistake, a program, or somebody who means harm.

The edit is accepted as any other. In its transaction the revision before it gets a name, and whoever manages the
document is told, by notification and by mail, whoever it was that deleted.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from infra.mail import page
from infra.settings import get_settings
from models import audit, mail, notifications, sharing
from models.audit import Act
from models.documents import Edit
from models.documents.tables import GENESIS
from models.notifications import Kind
from models.revisions import queries
from models.revisions.tables import Revision

NAME: Final = "Before most of it was deleted"


async def keep_before(session: AsyncSession, edit: Edit, seq: int) -> Revision:
    """Name the document as it was before an edit that was appended as `seq`, and tell who manages it."""
    document_id, until = edit.document_id, seq - 1
    last = await queries.newest(session, document_id)
    first = last.seq_to + 1 if last else 1
    chain = last.chain if last and last.seq_to == until else await queries.chain_at(session, document_id, until)
    revision = Revision(
        org_id=edit.org_id,
        document_id=document_id,
        number=last.number + 1 if last else 1,
        kind="named",
        name=NAME,
        seq_from=first,
        seq_to=until,
        authors=await queries.authors(session, document_id, first, until),
        chain=chain or GENESIS,
    )
    session.add(revision)
    await session.flush()
    await _tell(session, edit, seq, revision)
    return revision


async def _tell(session: AsyncSession, edit: Edit, seq: int, revision: Revision) -> None:
    org_id, document_id = edit.org_id, edit.document_id
    title, managers = await sharing.managers(session, org_id, document_id)
    # Not as its actor: who deletes by mistake, or has a client that does, wants to know as well.
    await notifications.tell(
        session,
        org_id,
        [manager.id for manager in managers],
        Kind.DOCUMENT_EMPTIED,
        f"document-emptied:{document_id}:{seq}",
        document_id=document_id,
        title=title,
        by=str(edit.actor_id or ""),
        revision=revision.number,
    )
    for manager in managers:
        await mail.send(
            session,
            to=manager.email,
            template="document_emptied",
            name=manager.name,
            document=title,
            revision=str(revision.number),
            link=page(get_settings(), f"d/{document_id}"),
        )
    details = {"seq": seq, "revision": revision.number, "origin": edit.origin}
    await audit.record(session, org_id, edit.actor_id, Act.DOCUMENT_EMPTIED, document_id, **details)
