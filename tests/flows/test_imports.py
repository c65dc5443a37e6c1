"""Imports: each thing becomes a document once, and a bad one is only reported."""

import asyncio
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from flows.imports import import_documents
from flows.runtime import Runtime
from models import imports, orgs, outbox
from models.imports import Import, ImportItem, Kind
from tests.flows.desk import Desk, dispatching, settled, until
from tests.flows.test_worker import free_port, is_ready, start
from tests.models.imports.zips import pack, word


async def ask(desk: Desk, data: bytes, name: str = "all.zip", kind: Kind = Kind.ZIP) -> UUID:
    async with desk.worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        scope = await orgs.enter(session, desk.actor, desk.org_id)
        return (await imports.request(session, scope, desk.worker.store, file_name=name, kind=kind, data=data)).id


async def read(desk: Desk, import_id: UUID) -> tuple[Import, list[ImportItem]]:
    async with desk.worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        return await imports.see(session, desk.actor, import_id)


async def titles(desk: Desk) -> list[tuple[str, int]]:
    """Titles and seqs of all documents."""
    async with desk.worker.db.transaction(org_ids=[desk.org_id]) as session:
        rows = await session.execute(
            text("SELECT title, seq FROM documents JOIN document_streams ON document_id = id ORDER BY title")
        )
        return [(row.title, row.seq) for row in rows]


async def test_one_bad_thing_does_not_hold_up_the_others(worker: Runtime, desk: Desk) -> None:
    files: dict[str, bytes | str] = {
        "a.md": "# Alpha\n\ntext",
        "bad.docx": b"no Word document",
        "b.html": "<h1>Beta</h1>",
        "../evil.md": "x",
        "c.docx": word("Gamma"),
        "latin.md": b"\xe9t\xe9",
    }
    async with dispatching(worker):
        import_id = await ask(desk, pack(files))
        await settled(worker, [import_id], 120)
    wish, report = await read(desk, import_id)
    assert (wish.state, wish.done, wish.total) == ("succeeded", 6, 6)
    assert [(item.path, item.state) for item in report] == [
        ("a.md", "imported"),
        ("bad.docx", "failed"),
        ("b.html", "imported"),
        ("../evil.md", "failed"),
        ("c.docx", "imported"),
        ("latin.md", "failed"),
    ]
    assert [item.error is None for item in report] == [item.document_id is not None for item in report]
    assert await titles(desk) == [("Alpha", 1), ("Beta", 1), ("c", 1)]


@pytest.mark.parametrize(
    ("kind", "data"),
    [(Kind.ZIP, b"no zip"), (Kind.ZIP, pack({"x.exe": "x"})), (Kind.MARKDOWN, b"\xff"), (Kind.DOCX, b"PK")],
)
async def test_where_nothing_is_imported_it_has_failed(worker: Runtime, desk: Desk, kind: Kind, data: bytes) -> None:
    async with dispatching(worker):
        import_id = await ask(desk, data, "file", kind)
        await settled(worker, [import_id], 120)
    wish, _ = await read(desk, import_id)
    assert wish.state == "failed"
    assert wish.error
    assert await titles(desk) == []


async def test_twice_at_once_takes_each_thing_in_once(worker: Runtime, desk: Desk) -> None:
    import_id = await ask(desk, pack({f"{number}.md": f"# {number}" for number in range(6)}))
    await asyncio.gather(*(import_documents.fn(import_id, desk.org_id) for _ in range(3)))
    assert await titles(desk) == [(str(number), 1) for number in range(6)]
    await import_documents.fn(import_id, desk.org_id)
    assert len(await titles(desk)) == 6
    async with worker.db.transaction() as session:
        await session.execute(text("DELETE FROM outbox WHERE kind = :kind"), {"kind": outbox.IMPORT_REQUESTED})


async def test_a_killed_worker_is_taken_over_and_nothing_comes_twice(worker: Runtime, desk: Desk) -> None:
    port = free_port()
    process = await start(worker, port, DOXIE_LEASE_SECONDS="2")
    await until(partial(is_ready, port), 60)
    import_id = await ask(desk, pack({f"{number:02}.docx": word(f"Text {number}") for number in range(8)}))

    async def has_begun() -> bool:
        return (await read(desk, import_id))[0].done >= 2

    await until(has_begun, 60)
    process.kill()
    await process.wait()
    halfway, before = await read(desk, import_id)
    assert 2 <= halfway.done < 8
    async with dispatching(worker, lease_seconds=2):
        await settled(worker, [import_id], 120)
    wish, report = await read(desk, import_id)
    assert (wish.state, wish.done, wish.total) == ("succeeded", 8, 8)
    assert [item.document_id for item in report][: len(before)] == [item.document_id for item in before]
    assert await titles(desk) == [(f"{number:02}", 1) for number in range(8)]
    assert len({item.document_id for item in report}) == 8


async def test_whoever_lost_access_imports_nothing(worker: Runtime, desk: Desk) -> None:
    import_id = await ask(desk, b"# Secret", "a.md", Kind.MARKDOWN)
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        await session.execute(text("DELETE FROM memberships WHERE org_id = :org"), {"org": desk.org_id})
    async with dispatching(worker):
        await settled(worker, [import_id], 120)
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        wish = await imports.find(session, import_id)
    assert wish.state == "failed"
    assert await titles(desk) == []
