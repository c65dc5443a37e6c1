"""Archives of organizations: whole, in parts, going on after a crash, and checked with nothing but themselves."""

import asyncio
import io
import json
import os
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pycrdt import Doc, Text
from sqlalchemy import text

from flows.runtime import Runtime
from models import documents, exports, orgs
from models.exports import Export
from tests.flows.desk import Desk, dispatching, port_of, settled, typing, until
from tests.flows.test_exports import paragraph, read
from tests.flows.test_worker import free_port, is_ready, start
from tests.flows.valve import Valve

PART = 5 * 1024 * 1024


async def ask(desk: Desk) -> UUID:
    async with desk.worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        scope = await orgs.enter(session, desk.actor, desk.org_id)
        return (await exports.request_archive(session, scope)).id


async def fetch(worker: Runtime, export: Export, path: Path) -> Path:
    data = b"".join([piece async for piece in await exports.pieces(worker.store, export)])
    await asyncio.to_thread(path.write_bytes, data)
    return path


def noise(size: int) -> bytes:
    """An update that does not compress."""
    doc: Doc[Any] = Doc()
    root = doc.get("text", type=Text)
    root += os.urandom(size // 2).hex()
    return doc.get_update()


async def test_an_archive_holds_every_document_and_proves_it(worker: Runtime, desk: Desk, tmp_path: Path) -> None:
    first, second, trashed = [await desk.document(title) for title in ("Eins", "Zwei 漢字", "Gone")]
    await desk.write(first, *typing("hello"))
    await desk.write(second, paragraph("The engine weaves."))
    async with worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        await documents.trash(session, await orgs.enter(session, desk.actor, desk.org_id), trashed)
    async with dispatching(worker):
        export_id = await ask(desk)
        await settled(worker, [export_id], 120)
    export = await read(desk, export_id)
    assert (export.state, export.done, export.total, export.upload_id) == ("succeeded", 2, 2, None)
    path = await fetch(worker, export, tmp_path / "archive.zip")
    verdict = await exports.verify_archive(path)
    assert (verdict.documents, verdict.problems) == (2, [])
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert {entry["title"]: entry["seq"] for entry in manifest["documents"]} == {"Zwei 漢字": 1, "Eins": 5}
        assert archive.read(f"documents/{first}/document.md") == b"hello"
        assert archive.read(f"documents/{second}/document.md") == b"The engine weaves.\n"


async def test_every_changed_byte_is_found(worker: Runtime, desk: Desk, tmp_path: Path) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("proof"))
    async with dispatching(worker):
        export_id = await ask(desk)
        await settled(worker, [export_id], 120)
    good = await fetch(worker, await read(desk, export_id), tmp_path / "good.zip")
    with zipfile.ZipFile(good) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    folder = f"documents/{document_id}"
    assert (await exports.verify_archive(write(tmp_path, files))).problems == []
    for name in files:
        if name != "manifest.json":
            changed = files | {name: bytes([files[name][0] ^ 1]) + files[name][1:]}
            assert (await exports.verify_archive(write(tmp_path, changed))).problems, name
    shorter = {name: data for name, data in files.items() if not name.endswith("journal.bin")}
    assert (await exports.verify_archive(write(tmp_path, shorter))).problems
    assert (await exports.verify_archive(write(tmp_path, files | {"more.txt": b"x"}))).problems
    # Somebody who makes the manifest fit a document that they changed still has the chain against them.
    forged = dict(files)
    forged[f"{folder}/journal.bin"] = files[f"{folder}/journal.bin"].replace(b"p", b"q", 1)
    entry = zipfile_manifest(forged)
    assert any("chain" in problem for problem in (await exports.verify_archive(write(tmp_path, entry))).problems)
    damaged = good.read_bytes()[:-30]
    (tmp_path / "damaged.zip").write_bytes(damaged)
    assert (await exports.verify_archive(tmp_path / "damaged.zip")).problems


def zipfile_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files with a manifest that has their hashes."""
    import hashlib

    manifest = json.loads(files["manifest.json"])
    for entry in manifest["files"]:
        data = files[entry["path"]]
        entry["sha256"], entry["bytes"] = hashlib.sha256(data).hexdigest(), len(data)
    return files | {"manifest.json": json.dumps(manifest).encode()}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    (folder / "again.zip").write_bytes(buffer.getvalue())
    return folder / "again.zip"


async def parts_of(desk: Desk, export_id: UUID) -> list[tuple[int, str]]:
    async with desk.worker.db.transaction(org_ids=[desk.org_id]) as session:
        rows = await session.execute(
            text("SELECT number, etag FROM export_parts WHERE export_id = :id ORDER BY number"), {"id": export_id}
        )
        return [(row.number, row.etag) for row in rows]


@pytest.mark.long
async def test_a_killed_worker_is_taken_over_in_the_middle(worker: Runtime, desk: Desk, tmp_path: Path) -> None:
    ids = [await desk.document(f"Document {number}") for number in range(8)]
    for document_id in ids:
        await desk.write(document_id, noise(2 * 1024 * 1024))
    port = free_port()
    async with Valve(port_of(worker.settings.s3_endpoint)) as valve:
        process = await start(
            worker,
            port,
            DOXIE_S3_ENDPOINT=f"http://127.0.0.1:{valve.port}",
            DOXIE_LEASE_SECONDS="2",
            DOXIE_ARCHIVE_PART_BYTES=str(PART),
        )
        await until(partial(is_ready, port), 60)
        export_id = await ask(desk)

        async def has_begun() -> bool:
            if await parts_of(desk, export_id):
                valve.hang()
                return True
            return False

        await until(has_begun, 60)
        process.kill()
        await process.wait()
    before = await parts_of(desk, export_id)
    halfway = await read(desk, export_id)
    assert halfway.state == "running"
    assert 0 < halfway.done < 8
    faster = replace(worker, settings=worker.settings.model_copy(update={"archive_part_bytes": PART}))
    async with dispatching(faster, lease_seconds=2):
        await settled(worker, [export_id], 120)
    export = await read(desk, export_id)
    assert (export.state, export.done, export.total) == ("succeeded", 8, 8)
    assert (await parts_of(desk, export_id))[: len(before)] == before
    path = await fetch(worker, export, tmp_path / "archive.zip")
    verdict = await exports.verify_archive(path)
    assert (verdict.documents, verdict.problems) == (8, [])
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert [UUID(entry["id"]) for entry in manifest["documents"]] == list(reversed(ids))


async def test_an_archive_that_was_finished_before_the_crash_is_accepted(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("twice"))
    async with dispatching(worker):
        export_id = await ask(desk)
        await settled(worker, [export_id], 120)
    first = await read(desk, export_id)
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        # As if the worker had died after the upload's end and before its own transaction's.
        await session.execute(
            text("UPDATE exports SET state = 'running', sha256 = NULL, upload_id = 'over' WHERE id = :id"),
            {"id": export_id},
        )
        part = {"org": desk.org_id, "id": export_id, "last": document_id}
        await session.execute(
            text(
                "INSERT INTO export_parts (org_id, export_id, number, etag, bytes, last_document, entries)"
                " VALUES (:org, :id, 1, 'x', 1, :last, '[]')"
            ),
            part,
        )
        from models import outbox

        await outbox.emit(session, outbox.EXPORT_REQUESTED, [(desk.org_id, export_id)])
    async with dispatching(worker):
        await settled(worker, [export_id], 120)
    again = await read(desk, export_id)
    assert (again.state, again.sha256) == ("succeeded", first.sha256)
