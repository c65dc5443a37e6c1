"""Everything that is known about somebody, as one zip for themselves."""

import json
import re
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import bigstack, clock
from infra.db import Database, set_scope
from infra.storage import ObjectStore
from models import audit, auth, content, documents, outbox, revisions
from models.audit import AccountAct
from models.auth import Actor
from models.documents import crdt
from models.errors import Conflict, Forbidden, NotFound
from models.orgs import Permission
from models.people import queries
from models.people.tables import PersonalExport

LIFETIME = timedelta(days=7)

README = """\
Everything this deployment of Doxie knows about you.

profile.json     your account
data/*.json      every row that is about you, by table: sessions, tokens, memberships, your log, …
                 Hashes and other secrets are left out.
memberships.json your organizations
edits.json       how much you wrote in which document, and when
documents/       the documents you created and may still read, as Markdown
"""


class PersonalExportNotFound(NotFound):
    """You have no such export."""


class PersonalExportNotReady(Conflict):
    """The export is not ready yet, has failed, or is over."""


async def request_export(session: AsyncSession, actor: Actor) -> PersonalExport:
    """Ask for everything; a flow collects it. While one is being made, asking again gives the same."""
    for export in await own_exports(session, actor):
        if export.state == "pending":
            return export
    export = PersonalExport(user_id=actor.user_id)
    session.add(export)
    await session.flush()
    subject, about = [(outbox.NO_ORG, export.id)], {"user_id": str(actor.user_id)}
    await outbox.emit(session, outbox.PERSONAL_EXPORT_REQUESTED, subject, payload=about)
    await audit.record_account(session, actor.user_id, AccountAct.DATA_REQUESTED, export_id=str(export.id))
    return export


async def own_exports(session: AsyncSession, actor: Actor) -> list[PersonalExport]:
    """One's exports, newest first."""
    query = select(PersonalExport).where(PersonalExport.user_id == actor.user_id)
    return list(await session.scalars(query.order_by(col(PersonalExport.id).desc()).limit(50)))


async def own_export(session: AsyncSession, actor: Actor, export_id: UUID) -> PersonalExport:
    """One of one's exports.

    Raises:
        PersonalExportNotFound: there is none such.
    """
    export = await find_export(session, export_id)
    if export is None or export.user_id != actor.user_id:
        raise PersonalExportNotFound()
    return export


async def find_export(session: AsyncSession, export_id: UUID) -> PersonalExport | None:
    """An export, for whoever makes it."""
    return await session.get(PersonalExport, export_id)


async def archive(db: Database, store: ObjectStore, user_id: UUID, path: Path) -> int:
    """Write the zip, with what somebody may see themselves; how many documents are in it."""
    async with db.transaction(user_id=user_id) as session:
        user = await auth.account(session, Actor(user_id, None, ""))
        org_ids = await queries.org_ids(session, user_id)
        await set_scope(session, user_id=user_id, org_ids=org_ids)
        memberships = await queries.memberships(session, user_id)
        actor = Actor(user_id, None, user.name, frozenset(row.org_id for row in memberships if row.is_live))
        created = await queries.created_documents(session, user_id)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", README)
            _add(archive, "profile.json", user.model_dump(mode="json", exclude={"password_hash"}))
            _add(archive, "memberships.json", _listed(memberships))
            _add(archive, "edits.json", _listed(await queries.edits(session, user_id)))
            for place in await queries.places(session):
                if place.is_theirs:
                    _add(archive, f"data/{place.table}.json", await queries.rows_of(session, place, user_id))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        return sum([await _add_document(archive, db, store, actor, row.id, row.title) for row in created])


async def settle_export(
    session: AsyncSession, export_id: UUID, *, sha256: str, size: int, flow_run_id: UUID | None
) -> bool:
    """It is stored and can be fetched, for a while. False if it is gone: whoever asked was erased meanwhile."""
    export = await find_export(session, export_id)
    if export is None:
        return False
    export.state, export.sha256, export.bytes, export.flow_run_id = "succeeded", sha256, size, flow_run_id
    export.finished_at, export.error = clock.now(), None
    export.expires_at = export.finished_at + LIFETIME
    await session.flush()
    kept = LIFETIME.total_seconds()
    subject = [(outbox.NO_ORG, export_id)]
    await outbox.emit(session, outbox.PERSONAL_EXPORT_EXPIRED, subject, quiet=kept, max_age=kept)
    return True


async def fail_export(session: AsyncSession, export_id: UUID, error: str, *, flow_run_id: UUID | None) -> bool:
    """It cannot be made. False if it is gone: whoever asked was erased meanwhile."""
    export = await find_export(session, export_id)
    if export is None:
        return False
    export.state, export.finished_at, export.error = "failed", clock.now(), error[:2000]
    export.flow_run_id = flow_run_id
    await session.flush()
    return True


async def expire(session: AsyncSession, export_id: UUID) -> None:
    """It is no longer there."""
    export = await find_export(session, export_id)
    if export is not None:
        export.state = "expired"
        await session.flush()


def object_key(export: PersonalExport) -> str:
    """The name of an export in the object store."""
    return export_key(export.user_id, export.id)


def export_key(user_id: UUID, export_id: UUID) -> str:
    """The same, of an export that may be gone."""
    return f"{object_prefix(user_id)}exports/{export_id}.zip"


def object_prefix(user_id: UUID) -> str:
    """What the names of all objects about somebody begin with."""
    return f"people/{user_id}/"


async def _add_document(
    archive: zipfile.ZipFile, db: Database, store: ObjectStore, actor: Actor, document_id: UUID, title: str
) -> bool:
    try:
        async with db.transaction(user_id=actor.user_id, org_ids=actor.org_ids) as session:
            _, scope = await documents.enter(session, actor, document_id)
            scope.require(Permission.DOCUMENT_READ)
            loaded = await revisions.load_at(session, scope, store, document_id, None)
    except (NotFound, Forbidden):
        return False  # created once, and nothing of theirs any more
    markdown = await bigstack.run(lambda: content.to_markdown(crdt.build(loaded.updates)))
    name = re.sub(r"[^\w-]+", "-", title).strip("-")[:60] or "untitled"
    archive.writestr(f"documents/{name}-{document_id}.md", markdown)
    return True


def _listed(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]


def _add(archive: zipfile.ZipFile, name: str, value: object) -> None:
    archive.writestr(name, json.dumps(value, ensure_ascii=False, indent=2, default=str))
