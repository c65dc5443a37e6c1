"""Bringing one document, or an organization, back from a backup into the running system."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from pycrdt import Doc, Text
from sqlalchemy import text

from flows import bases as making
from flows import recovering, runtime
from flows.runtime import Runtime
from infra import clock
from infra.db import Database
from models import archive, revisions
from models.archive import Plan
from tests.conftest import Stack
from tests.flows.desk import Desk, deployment, dispatching, new_desk, settled, typing
from tests.flows.test_archiving import NOW, text_at
from tests.flows.test_drills import shipped


@pytest.fixture(scope="module")
async def house(stack: Stack) -> AsyncIterator[Runtime]:
    async with deployment(stack.settings) as settings, runtime.opened_with(settings) as worker:
        yield worker


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
    assert "made what it was" in lines[-1]
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
    assert sum("brought back" in line for line in lines) == 5
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        name = await session.scalar(text("SELECT name FROM users WHERE id = :id"), {"id": desk.actor.user_id})
        count = await session.scalar(text("SELECT count(*) FROM documents WHERE org_id = :id"), {"id": desk.org_id})
    assert (name, count) == ("Removed", 4)
    assert await text_at(desk, untouched) == f"the work of a year {untouched}"
