"""The operators' commands."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from flows import operating
from flows.cli import app
from flows.runtime import Runtime
from infra.db import Database
from infra.settings import Settings
from models.documents import Edit, journal, state
from tests.flows.desk import Desk, dispatching, settled, typing


@pytest.fixture(autouse=True)
def _here(pipeline: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating, "get_settings", lambda: pipeline)


async def test_verify_finds_what_is_damaged(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    updates = typing("intact for now")
    async with dispatching(worker):
        await desk.write(document_id, *updates[:4], b"\x01\xff\xff", *updates[4:6])
        await settled(worker, [document_id])
        await desk.write(document_id, *updates[6:])
        await settled(worker, [document_id])
    findings = await operating.verify(document_id)
    assert all(finding.ok for finding in findings), findings
    assert len(findings) == 6

    newest = (await desk.revisions(document_id))[-1]
    key = state.snapshot_key(desk.org_id, str(newest.sha256))
    frame = await worker.store.get(key)
    await worker.store.put(key, frame[:-1] + bytes([frame[-1] ^ 1]))
    assert [finding.check for finding in await operating.verify(document_id) if not finding.ok] == [
        "snapshot of revision 2"
    ]
    await worker.store.put(key, frame)

    owner = Database(worker.settings.database_url.get_secret_value(), pool_size=1)
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        flip = "UPDATE document_updates SET payload = set_byte(payload, 3, 99) WHERE document_id = :id"
        flip += " AND seq = 3"
        await session.execute(text(flip), {"id": document_id})
    await owner.close()
    broken = [finding for finding in await operating.verify(document_id) if not finding.ok]
    assert broken[0].detail == "the chain breaks at seq 3"


async def test_rebuild_folds_again(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("again"))
    async with dispatching(worker):
        await settled(worker, [document_id])
        await operating.rebuild(document_id)
        await settled(worker, [document_id])
    assert [step.step for step in await desk.ledger(document_id)] == ["fold", "store", "index"] * 2


def test_accounts_from_the_command_line(worker: Runtime) -> None:
    run = CliRunner()
    command = ["admin", "create-user", "grace@example.org", "--password-stdin"]
    assert run.invoke(app, command, input="correct horse battery\n").exit_code == 0
    assert run.invoke(app, command, input="correct horse battery\n").exit_code == 1
    assert run.invoke(app, ["admin", "promote", "grace@example.org"]).exit_code == 0
    assert run.invoke(app, ["admin", "promote", "nobody@example.org"]).exit_code == 1
    assert run.invoke(app, ["admin", "verify", "00000000-0000-7000-8000-000000000000"]).exit_code == 1


async def test_quarantined_updates_can_be_looked_at(worker: Runtime, desk: Desk, tmp_path: Path) -> None:
    document_id, bad = await desk.document(), bytes(range(100))
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        edit = Edit(desk.org_id, document_id, bad, desk.actor.user_id, None, "socket")
        await journal.quarantine(session, edit, error="does not apply")
    [found] = await operating.quarantined(document_id, limit=10)
    assert (found.payload, found.actor_id, found.seq) == (bad, desk.actor.user_id, None)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["admin", "quarantine", *arguments])

    assert str(found.id) in (await asyncio.to_thread(invoke, str(document_id))).output
    assert "00010203 04050607" in (await asyncio.to_thread(invoke, "--update", str(found.id))).output
    output = tmp_path / "update"
    await asyncio.to_thread(invoke, "--update", str(found.id), "--output", str(output))
    assert output.read_bytes() == bad
    assert (await asyncio.to_thread(invoke, "--update", str(uuid4()))).exit_code == 1
