"""Making what a restored database holds something new, before it is brought back beside what is there.

Rows get other ids, of which the time stays: lists in the order of ids stay as they were. Objects named by the
organization are stored anew, and so are segments, which say whose journal they are.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Table, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select, update

from infra import compression, hashing
from infra.storage import ObjectStore
from models import archive
from models.base import OrgOwned, metadata
from models.documents import history, segments, state
from models.documents.segments import Segment
from models.documents.tables import DocumentSegment

SECRET = ("webhook_deliveries", "webhooks", "invitations", "share_links")
"""What somebody outside is told, or has the secret of, is not doubled."""

NAME_LENGTH = 180
"""Of a name so much stays, with the moment behind it."""

_RENAMED = text("CREATE TEMPORARY TABLE renamed (old uuid PRIMARY KEY, new uuid NOT NULL) ON COMMIT DROP")
_NEW_ID = "overlay(gen_random_uuid()::text PLACING left(id::text, 18) FROM 1)::uuid"
"""The time of a UUIDv7, its version and what counts within the millisecond stay."""


async def as_new(
    then: AsyncSession, store: ObjectStore, org_id: UUID, document_id: UUID | None, moment: datetime
) -> dict[UUID, UUID]:
    """Give an organization, or one document of it, new ids in a restored database; which, by the old ones.

    The role may switch constraints off, and sees all rows.

    Raises:
        HistoryUnavailable, StateUnavailable: an object cannot be read.
    """
    await then.execute(text("SET LOCAL session_replication_role = replica"))
    what = _What(org_id, document_id)
    for secret in (metadata.tables[name] for name in SECRET):
        if what.has(secret):
            await what.run(then, f'DELETE FROM "{secret.name}" {what.where(secret)}')  # noqa: S608 - names of ours
    new = await _new_ids(then, what)
    await _name(then, what, moment)
    if document_id is None:
        await what.run(then, "UPDATE organizations SET suspended_at = NULL WHERE id = :org_id")
        await _copy_snapshots(then, store, org_id, new[org_id])
    await _copy_segments(then, store, what, new)
    for each in what.tables():
        changed = ", ".join(
            f'"{column.name}" = COALESCE((SELECT new FROM renamed WHERE old = "{column.name}"), "{column.name}")'  # noqa: S608
            for column in each.columns
            if isinstance(column.type, Uuid)
        )
        await what.run(then, f'UPDATE "{each.name}" SET {changed} {what.where(each)}')  # noqa: S608
    return new


class _What:
    """The rows of an organization, or of one document."""

    def __init__(self, org_id: UUID, document_id: UUID | None) -> None:
        self.org_id, self.document_id = org_id, document_id

    def has(self, table: Table) -> bool:
        """Whether any of them is in a table."""
        return self.document_id is None or table.name == "documents" or "document_id" in table.c

    def tables(self) -> list[Table]:
        """Where they are."""
        owned = {"organizations", *(str(mapper.__tablename__) for mapper in OrgOwned.__subclasses__())}
        return [table for table in metadata.sorted_tables if table.name in owned and self.has(table)]

    def where(self, table: Table) -> str:
        """Which of a table they are."""
        if table.name == "organizations":
            return "WHERE id = :org_id"
        if self.document_id is None:
            return "WHERE org_id = :org_id"
        return f"WHERE org_id = :org_id AND {'id' if table.name == 'documents' else 'document_id'} = :document_id"

    async def run(self, session: AsyncSession, statement: str) -> None:
        """Execute something about them."""
        given = {"org_id": self.org_id, "document_id": self.document_id}
        names = [name for name in given if f":{name}" in statement]
        bound = text(statement).bindparams(*(bindparam(name, type_=Uuid) for name in names))
        await session.execute(bound, {name: given[name] for name in names})


async def _new_ids(then: AsyncSession, what: _What) -> dict[UUID, UUID]:
    await then.execute(_RENAMED)
    for table in what.tables():
        if "id" in table.c:
            query = f'SELECT id, {_NEW_ID} FROM "{table.name}" {what.where(table)}'  # noqa: S608 - names of ours
            await what.run(then, f"INSERT INTO renamed {query}")
    return {row.old: row.new for row in await then.execute(text("SELECT old, new FROM renamed"))}


async def _name(then: AsyncSession, what: _What, moment: datetime) -> None:
    """Say in its name what it is, so that nobody takes one for the other."""
    table, name = ("organizations", "name") if what.document_id is None else ("documents", "title")
    as_of = f" (as of {moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC)".replace(":", "\\:")  # no name of a parameter
    changed = f"{name} = left({name}, {NAME_LENGTH}) || '{as_of}'"
    await what.run(then, f'UPDATE "{table}" SET {changed} {what.where(metadata.tables[table])}')  # noqa: S608


async def _copy_snapshots(then: AsyncSession, store: ObjectStore, org_id: UUID, new_org_id: UUID) -> None:
    for key, (kind, sha256) in (await archive.referenced(then)).items():
        if kind == "snapshot" and key == state.snapshot_key(org_id, sha256):
            await state.read_snapshot(store, org_id, sha256)
            await store.put(state.snapshot_key(new_org_id, sha256), await store.get(key))


async def _copy_segments(then: AsyncSession, store: ObjectStore, what: _What, new: Mapping[UUID, UUID]) -> None:
    query = select(DocumentSegment).where(DocumentSegment.org_id == what.org_id)
    if what.document_id is not None:
        query = query.where(DocumentSegment.document_id == what.document_id)
    for listed in list(await then.scalars(query)):
        old = await history.read(store, listed)
        org_id = new.get(old.org_id, old.org_id)
        data = segments.encode(Segment(org_id, new[old.document_id], old.chain_before, old.rows))
        sha256, frame = hashing.sha256_hex(data), compression.compress(data, archive.LEVEL)
        await store.put(history.segment_key(org_id, sha256), frame)
        mine = (col(DocumentSegment.document_id) == old.document_id, col(DocumentSegment.seq_from) == listed.seq_from)
        values = {"sha256": sha256, "bytes_raw": len(data), "bytes_stored": len(frame)}
        await then.execute(
            update(DocumentSegment).where(col(DocumentSegment.org_id) == what.org_id, *mine).values(values)
        )
