"""Exports: made once, with the rights of whoever asked."""

from typing import Any
from uuid import UUID

from pycrdt import Doc, XmlElement, XmlFragment, XmlText
from sqlmodel import col, delete

from flows import runtime
from flows.exports import export_document
from flows.runtime import Runtime
from models import documents, exports, notifications, orgs
from models.exports import Export, Format
from models.orgs import Membership
from tests.flows.desk import Desk, dispatching, ended, settled


def paragraph(words: str) -> bytes:
    """An update that makes a rich text of one paragraph."""
    doc: Doc[Any] = Doc()
    root = doc.get("default", type=XmlFragment)
    root.children.append(XmlElement("paragraph", contents=[XmlText(words)]))
    return doc.get_update()


async def ask(desk: Desk, document_id: UUID, format: Format = Format.MARKDOWN) -> UUID:
    async with desk.worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        scope = await orgs.enter(session, desk.actor, desk.org_id)
        return (await exports.request(session, scope, document_id, format=format)).id


async def read(desk: Desk, export_id: UUID) -> Export:
    async with desk.worker.db.transaction(org_ids=[desk.org_id]) as session:
        return await exports.find(session, export_id)


async def told(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    async with desk.worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        return [(item.kind, item.data) for item in await notifications.of(session, desk.actor)]


async def test_whoever_asked_is_told_once(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, paragraph("The engine weaves."))
    async with dispatching(worker):
        export_id = await ask(desk, document_id)
        await settled(worker, [export_id])
    with runtime.use(worker):
        await export_document.fn(export_id, desk.org_id)  # made again, by hand
    about = {"export_id": str(export_id), "format": "markdown"}
    assert await told(desk) == [("export.succeeded", about)]


async def test_an_export_is_made_and_stored(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, paragraph("The engine weaves."))
    async with dispatching(worker):
        export_id = await ask(desk, document_id)
        await settled(worker, [export_id])
    export = await read(desk, export_id)
    assert (export.state, export.seq) == ("succeeded", 1)
    stored = b"".join([piece async for piece in await exports.pieces(worker.store, export)])
    assert stored.decode().strip() == "The engine weaves."
    steps = [step for step in await desk.ledger(document_id) if step.pipeline == "export"]
    assert [(step.step, step.state) for step in steps] == [("render", "succeeded"), ("store", "succeeded")]
    assert {step.hash_out for step in steps} == {export.sha256}
    run = await ended(worker, export.flow_run_id)
    assert run.state_name == "Completed"
    assert "kind:export" in run.tags


async def test_whoever_lost_access_gets_nothing(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, paragraph("secret"))
    export_id = await ask(desk, document_id)
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        await session.execute(delete(Membership).where(col(Membership.org_id) == desk.org_id))
    async with dispatching(worker):
        await settled(worker, [export_id])
    export = await read(desk, export_id)
    assert (export.state, export.sha256) == ("failed", None)
    assert "No such document" in str(export.error)
    assert (await ended(worker, export.flow_run_id)).state_name == "Failed"


async def test_an_export_of_what_was_deleted_for_good_is_done_with(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, paragraph("gone"))
    export_id = await ask(desk, document_id)
    async with worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        _, scope = await documents.enter(session, desk.actor, document_id)
        await documents.trash(session, scope, document_id)
        await documents.erase(session, scope, document_id)
    async with dispatching(worker):
        await settled(worker, [export_id, document_id])
    assert await told(desk) == []
