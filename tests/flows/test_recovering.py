"""Bringing one document, or an organization, back from a backup into the running system."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pycrdt import Doc, Text
from sqlalchemy import text
from typer.testing import CliRunner

from flows import bases as making
from flows import recovering, runtime, shelving
from flows.cli import app
from flows.recovering import NotInBackup
from flows.runtime import Runtime
from infra import clock
from infra.db import Database
from infra.recovery.base import NoBackup
from infra.storage import ObjectStore
from models import archive, audit, revisions
from models.archive import Plan
from models.audit import Act, Wanted
from models.backups import BackupDamaged, BackupNotFound, OrganizationBackup, shelf
from models.documents.tables import DocumentGrant
from models.orgs.tables import Group, GroupMember, Membership
from models.sharing.tables import ShareLink
from models.webhooks.tables import Webhook
from tests.flows.desk import Desk, dispatching, new_desk, settled, typing
from tests.flows.test_archiving import NOW, text_at
from tests.flows.test_drills import flipped, shipped


def erased(doc: Doc[Any]) -> bytes:
    """Everything is deleted, and something else written."""
    before = doc.get_state()
    content = doc.get("text", type=Text)
    with doc.transaction():
        del content[0 : len(str(content))]
        content += "vandalised"
    return doc.get_update(before)


async def test_documents_come_back(house: Runtime, owner: Database) -> None:
    desk: Desk = await new_desk(house)
    changed, gone, untouched, deleted_org = [await desk.document(title) for title in ("a", "b", "c", "d")]
    docs: dict[UUID, Doc[Any]] = {document_id: Doc() for document_id in (changed, gone, untouched)}
    async with dispatching(house):
        for document_id, doc in docs.items():
            await desk.write(document_id, *typing(f"the work of a year {document_id}", doc=doc))
        await settled(house, list(docs), 60)
        # The beginning of one is archived: its backup is in Postgres and in the store.
        await archive.archive(owner, house.store, Plan(desk.org_id, gone), age=NOW)
        await desk.write(gone, *typing(", and more", doc=docs[gone]))
    async with runtime.backup_store(house) as store:
        await making.make(house, store)
    await asyncio.sleep(1.1)
    moment = clock.now()
    await asyncio.sleep(1.1)
    await desk.write(changed, erased(docs[changed]))
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        await session.execute(text("DELETE FROM documents WHERE id = :id"), {"id": gone})
    await shipped(owner)
    assert await text_at(desk, changed) == "vandalised"

    lines = await recovering.restore(house, moment, document_id=changed)
    assert "made what it was" in lines[-1], lines
    assert await text_at(desk, changed) == f"the work of a year {changed}"
    assert await text_at(desk, changed, len(f"the work of a year {changed}") + 1) == "vandalised"  # history stays

    lines = await recovering.restore(house, moment, org_id=desk.org_id)
    told = {line.partition(":")[0]: line for line in lines}
    assert "brought back" in told[str(gone)]
    assert "as it was" in told[str(changed)]
    assert "as it was" in told[str(untouched)]
    assert await text_at(desk, gone) == f"the work of a year {gone}, and more"
    assert await text_at(desk, gone, 8) == "the work"
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        for document_id in (changed, gone, untouched):
            findings = await revisions.verify(session, house.store, document_id)
            assert all(finding.ok for finding in findings), findings
    async with dispatching(house):  # and it lives on
        await desk.write(gone, *typing("!", doc=docs[gone]))
        await settled(house, [gone], 60)
    assert (await text_at(desk, gone)).endswith("more!")

    # A whole organization, and with it somebody who is gone for good.
    async with owner.transaction() as session:
        await session.execute(text("DELETE FROM organizations WHERE id = :id"), {"id": desk.org_id})
        await session.execute(text("DELETE FROM users WHERE id = :id"), {"id": desk.actor.user_id})
    lines = await recovering.restore(house, moment, org_id=desk.org_id)
    assert sum("brought back" in line for line in lines) == 5, lines
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        name = await session.scalar(text("SELECT name FROM users WHERE id = :id"), {"id": desk.actor.user_id})
        count = await session.scalar(text("SELECT count(*) FROM documents WHERE org_id = :id"), {"id": desk.org_id})
    assert (name, count) == ("Removed", 4)
    assert await text_at(desk, untouched) == f"the work of a year {untouched}"


async def count(owner: Database, table: str, org_id: UUID) -> int:
    async with owner.transaction() as session:
        found = await session.scalar(text(f"SELECT count(*) FROM {table} WHERE org_id = :org"), {"org": org_id})
    return int(found or 0)


@dataclass(frozen=True)
class Company:
    """An organization with everything that its own backup is to bring back, and that backup."""

    desk: Desk
    document: UUID
    doc: Doc[Any]
    colleague: UUID
    backup: OrganizationBackup


@pytest.fixture
async def company(house: Runtime, owner: Database, stored: ObjectStore) -> Company:
    """Two members, a group, a grant to it, a link, a webhook; a document that is archived, folded, and fresh."""
    desk, colleague = await new_desk(house), await new_desk(house)
    document, doc = await desk.document("Plan"), Doc[Any]()
    async with dispatching(house):
        await desk.write(document, *typing("archived, ", doc=doc))
        await settled(house, [document], 60)
        await archive.archive(owner, house.store, Plan(desk.org_id, document), age=NOW)
        await desk.write(document, *typing("folded, ", doc=doc))
        await settled(house, [document], 60)
    await desk.write(document, *typing("fresh", doc=doc))
    user_id = colleague.actor.user_id
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        await session.execute(text("DELETE FROM organizations WHERE id = :id"), {"id": colleague.org_id})
        session.add(Membership(org_id=desk.org_id, user_id=user_id, role="member"))
        session.add(group := Group(org_id=desk.org_id, name="Board"))
        await session.flush()
        session.add(GroupMember(org_id=desk.org_id, group_id=group.id, user_id=user_id))
        mine: dict[str, Any] = {"org_id": desk.org_id, "document_id": document, "level": 2}
        session.add(DocumentGrant(**mine, group_id=group.id, granted_by=desk.actor.user_id))
        session.add(ShareLink(**mine, secret_hash=b"x", created_by=desk.actor.user_id))
        hook: dict[str, Any] = {"url": "https://example.org/", "events": ["document.created"], "sealed_secret": b"x"}
        session.add(Webhook(org_id=desk.org_id, created_by=desk.actor.user_id, **hook))
    backup = await shelving.back_up(house, stored, desk.org_id, kind="operator")
    return Company(desk, document, doc, user_id, backup)


OWNED = ("memberships", "groups", "group_members", "document_grants", "share_links", "webhooks")


async def test_an_organization_comes_back_from_its_own_backup(
    house: Runtime, owner: Database, company: Company
) -> None:
    desk, document = company.desk, company.document
    await desk.write(document, erased(company.doc))
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        await session.execute(text("DELETE FROM groups WHERE org_id = :id"), {"id": desk.org_id})
        await session.execute(text("DELETE FROM share_links WHERE org_id = :id"), {"id": desk.org_id})
    lines = await recovering.restore(house, None, org_id=desk.org_id)  # the newest is the organization's own
    assert str(company.backup.id) in lines[0]
    assert lines[1].endswith("brought back: 1 groups, 1 group_members, 1 document_grants, 1 share_links")
    assert "made what it was" in lines[2]
    assert await text_at(desk, document) == "archived, folded, fresh"
    assert await recovering.restore(house, company.backup.id, org_id=desk.org_id) == [
        lines[0],
        f"organization {desk.org_id}: nothing was missing",
        f"{document}: as it was",
    ]

    # All of it, and with it somebody who is gone for good.
    async with owner.transaction() as session:
        await session.execute(text("DELETE FROM organizations WHERE id = :id"), {"id": desk.org_id})
        await session.execute(text("DELETE FROM users WHERE id = :id"), {"id": company.colleague})
    await recovering.restore(house, company.backup.id, org_id=desk.org_id)
    assert [await count(owner, table, desk.org_id) for table in OWNED] == [2, 1, 1, 1, 1, 1]
    assert await text_at(desk, document) == "archived, folded, fresh"
    assert await text_at(desk, document, 8) == "archived"
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        assert all(finding.ok for finding in await revisions.verify(session, house.store, document))
        name = await session.scalar(text("SELECT name FROM users WHERE id = :id"), {"id": company.colleague})
        [act] = await audit.log(session, desk.org_id, Wanted(action=Act.BACKUP_RESTORED))
    assert (name, act.details["rows"]["memberships"]) == ("Removed", 2)


async def test_a_second_organization_is_made_of_a_backup(house: Runtime, owner: Database, company: Company) -> None:
    desk, document = company.desk, company.document
    [_, line, told] = await recovering.restore(house, company.backup.id, org_id=desk.org_id, as_new=True)
    new_org, new_document = UUID(line.split()[1].strip(":")), UUID(told.split(":")[0])
    assert new_org != desk.org_id and new_document != document
    assert (new_org.bytes[:6], new_document.bytes[:6]) == (desk.org_id.bytes[:6], document.bytes[:6])
    assert [await count(owner, table, new_org) for table in OWNED] == [2, 1, 1, 1, 0, 0]
    copy = replace(desk, org_id=new_org)
    assert await text_at(copy, new_document) == "archived, folded, fresh"
    assert await text_at(copy, new_document, 8) == "archived"
    async with owner.transaction(org_ids=[new_org]) as session:
        assert all(finding.ok for finding in await revisions.verify(session, house.store, new_document))
        name = await session.scalar(text("SELECT name FROM organizations WHERE id = :id"), {"id": new_org})
        [act] = await audit.log(session, new_org, Wanted(action=Act.BACKUP_RESTORED))
        mine = [key for key in await archive.referenced(session) if str(new_org) in key]
    assert name.startswith("Analytical Engines (as of 2")
    assert act.details["copy_of"] == str(desk.org_id)
    assert len(mine) == 3  # two snapshots and a segment, none of them the other organization's
    assert all([await house.store.exists(key) for key in mine])
    async with dispatching(house):  # both live on, each by itself
        await copy.write(new_document, *typing("!", doc=company.doc))
        await settled(house, [new_document], 60)
    assert await text_at(copy, new_document) == "archived, folded, fresh!"
    assert await text_at(desk, document) == "archived, folded, fresh"


async def test_a_document_comes_back_or_a_second_one_is_made(house: Runtime, owner: Database, company: Company) -> None:
    desk, document = company.desk, company.document
    [_, line] = await recovering.restore(house, company.backup.id, document_id=document, as_new=True)
    copy = UUID(line.split(":")[0])
    assert await text_at(desk, copy) == await text_at(desk, document) == "archived, folded, fresh"
    assert await text_at(desk, copy, 8) == "archived"
    assert [await count(owner, table, desk.org_id) for table in OWNED] == [2, 1, 1, 2, 1, 1]
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        assert all(finding.ok for finding in await revisions.verify(session, house.store, copy))
        await session.execute(text("DELETE FROM documents WHERE id = :id"), {"id": document})
        await session.execute(text("DELETE FROM memberships WHERE user_id = :id"), {"id": company.colleague})
        await session.execute(text("DELETE FROM groups WHERE org_id = :id"), {"id": desk.org_id})
    await recovering.restore(house, company.backup.id, document_id=document)
    assert await text_at(desk, document, 8) == "archived"
    # The link is back; the grant was to a group that is gone.
    assert [await count(owner, table, desk.org_id) for table in OWNED] == [1, 0, 0, 0, 1, 1]


async def test_what_cannot_be_restored_is_said(
    house: Runtime, owner: Database, stored: ObjectStore, company: Company
) -> None:
    desk, other = company.desk, await new_desk(house)
    later = await desk.document("made later")
    with pytest.raises(BackupNotFound, match="There is no backup"):
        await recovering.restore(house, uuid4(), org_id=desk.org_id)
    with pytest.raises(BackupNotFound, match=f"one of the organization {desk.org_id}"):
        await recovering.restore(house, company.backup.id, org_id=other.org_id)
    with pytest.raises(NotInBackup, match=f"The document {later} is not in org-backups/"):
        await recovering.restore(house, company.backup.id, document_id=later)
    with pytest.raises(NoBackup, match="nor one of the organization by itself"):
        await recovering.restore(house, clock.now() - timedelta(days=400), org_id=desk.org_id)
    async with flipped(stored, str(company.backup.object_key), 300):
        with pytest.raises(BackupDamaged, match="is not what was stored"):
            await recovering.restore(house, None, org_id=desk.org_id)
    manifest = str(company.backup.object_key).replace(shelf.ROWS, shelf.MANIFEST)
    said = await stored.get(manifest)
    await stored.put(manifest, said.replace(b'"document_grants"', b'"grants; DROP TABLE users"'))
    with pytest.raises(BackupDamaged, match="is no name"):
        await recovering.restore(house, None, org_id=desk.org_id)
    await stored.put(manifest, said)
    async with owner.transaction() as session:
        await session.execute(text("DELETE FROM organizations WHERE id = :id"), {"id": desk.org_id})
    with pytest.raises(NotInBackup, match="restore that first"):
        await recovering.restore(house, company.backup.id, document_id=company.document)
    assert not list(house.settings.home.glob("recovering-*"))


def test_the_command_says_what_it_takes() -> None:
    result = CliRunner().invoke(app, ["admin", "restore-org", str(uuid4()), "--from", "yesterday"])
    assert result.exit_code == 2
    assert "neither a moment like" in result.output
