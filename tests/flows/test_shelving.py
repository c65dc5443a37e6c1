"""Backups of single organizations: whole, of one moment, nobody else's, and kept as long as the settings say."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.settings import temporary_settings
from pycrdt import Doc
from sqlalchemy import text
from typer.testing import CliRunner

from flows import environment, operating, runtime, shelving, sweeping
from flows.cli import app
from flows.runtime import Runtime
from infra import clock
from infra.db import Database
from infra.storage import ObjectStore
from models import backups, orgs
from models.backups import BackupDamaged, OrganizationBackup, organizations, packing, shelf
from models.base import OrgOwned
from models.documents import state
from tests.conftest import Stack
from tests.flows.desk import Desk, deployment, dispatching, flow_run, new_desk, settled, snapshotted, typing
from tests.flows.test_drills import flipped


@pytest.fixture(scope="module")
async def house(stack: Stack) -> AsyncIterator[Runtime]:
    """A deployment of which every organization is known, with buckets of its own."""
    shared = stack.settings.model_copy(
        update={"s3_bucket": f"shelved-{UUID(int=3)}", "s3_backup_bucket": f"shelf-{UUID(int=3)}"}
    )
    async with deployment(shared) as settings, runtime.opened_with(settings) as worker:
        yield worker


@pytest.fixture
async def desk(house: Runtime) -> Desk:
    return await new_desk(house)


async def of(desk: Desk) -> list[OrganizationBackup]:
    async with desk.worker.db.transaction(org_ids=[desk.org_id]) as session:
        return await organizations.newest(session, desk.org_id)


async def fetched(stored: ObjectStore, backup: OrganizationBackup, path: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a backup, by table."""
    found = await shelf.find(stored, org_id=backup.org_id, backup_id=backup.id)
    manifest = await shelf.manifest(stored, found)
    await shelf.fetch(stored, manifest, path)
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, line in packing.lines(path, manifest):
        rows.setdefault(name, []).append(json.loads(line.partition(b"\t")[2]))
    return rows


async def test_all_that_an_organization_owns_is_in_its_backup_and_nothing_else(
    house: Runtime, owner: Database, stored: ObjectStore, desk: Desk, tmp_path: Path
) -> None:
    other = await new_desk(house)
    await other.write(await other.document("Theirs"), *typing("theirs"))
    document_id = await desk.document("Ours")
    async with dispatching(house):
        await desk.write(document_id, *typing("ours"))
        await settled(house, [document_id])
    made = await shelving.back_up(house, stored, desk.org_id, kind="operator")
    assert (made.state, made.error, made.documents, made.objects) == ("succeeded", None, 1, 1)
    rows = await fetched(stored, made, tmp_path / "rows.zst")
    assert made.rows == sum(len(found) for found in rows.values())
    async with owner.transaction() as session:
        for table in OrgOwned.__subclasses__():
            name = str(table.__tablename__)
            query = text(f"SELECT count(*) FROM {name} WHERE org_id = :org")
            there = await session.scalar(query, {"org": desk.org_id})
            if name == "organization_backups":
                assert name not in rows
            elif name == "pipeline_runs":  # making it is itself a step
                assert len(rows[name]) == (there or 0) - 1
            else:
                assert len(rows.get(name, [])) == there, name
    assert [row["id"] for row in rows["organizations"]] == [str(desk.org_id)]
    assert {row["org_id"] for name, found in rows.items() if name != "organizations" for row in found} == {
        str(desk.org_id)
    }
    assert b"".join(bytes.fromhex(row["payload"][2:]) for row in rows["document_updates"]).count(b"ours") == 0
    [revision] = await desk.revisions(document_id)
    manifest = await shelf.manifest(stored, await shelf.find(stored, org_id=desk.org_id))
    key = state.snapshot_key(desk.org_id, str(revision.sha256))
    assert manifest["references"] == [["snapshot", key, revision.sha256]]
    assert not list(house.settings.home.glob("org-backup-*"))


async def test_a_backup_is_of_one_moment_while_people_write(
    house: Runtime, stored: ObjectStore, desk: Desk, tmp_path: Path
) -> None:
    documents = [await desk.document(f"{number}") for number in range(4)]
    stop = asyncio.Event()
    written = 0

    async def write() -> None:
        nonlocal written
        docs: list[Doc[Any]] = [Doc() for _ in documents]
        while not stop.is_set():
            for document_id, doc in zip(documents, docs, strict=True):
                await desk.write(document_id, *typing("abc", doc=doc))
                written += 3

    writing = asyncio.create_task(write())
    while written < 100:
        await asyncio.sleep(0.01)
    for number in range(5):
        before = written
        made = await shelving.back_up(house, stored, desk.org_id, kind="operator")
        rows = await fetched(stored, made, tmp_path / f"{number}.zst")
        heads = {row["document_id"]: (row["seq"], row["chain"]) for row in rows["document_streams"]}
        journal: dict[str, list[dict[str, Any]]] = {}
        for row in rows["document_updates"]:
            journal.setdefault(row["document_id"], []).append(row)
        for document_id in map(str, documents):
            seqs = [row["seq"] for row in journal[document_id]]
            assert seqs == list(range(1, heads[document_id][0] + 1))
            assert journal[document_id][-1]["chain"] == heads[document_id][1]
        assert before <= len(rows["document_updates"]) < written
    stop.set()
    await writing


async def test_one_that_cannot_be_backed_up_stops_no_other(
    house: Runtime, owner: Database, stored: ObjectStore, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelving, "AGAIN_SECONDS", 0.0)
    poison, lost = await new_desk(house), await new_desk(house)
    _, key = await snapshotted(lost)
    snapshot = await house.store.get(key)
    await house.store.delete(key)
    pack = packing.pack

    async def poisoned(session: Any, org_id: UUID, *rest: Any) -> dict[str, Any]:
        if org_id == poison.org_id:
            raise RuntimeError("its rows cannot be read")
        return await pack(session, org_id, *rest)

    monkeypatch.setattr(packing, "pack", poisoned)
    with runtime.use(house), temporary_settings(environment.api(house.settings.prefect_ui_url)):
        result = await shelving.back_up_organizations(return_state=True)
        assert result.is_failed()
        assert str(poison.org_id) in str(result.message)
    [good, *_], [bad, *_], [incomplete, *_] = await of(desk), await of(poison), await of(lost)
    assert (good.kind, good.state) == ("scheduled", "succeeded")
    assert (bad.state, bad.error) == ("failed", "RuntimeError: its rows cannot be read")
    assert (incomplete.state, incomplete.missing) == ("incomplete", 1)
    assert (await flow_run(house, good.flow_run_id)).state_name == "Failed"
    async with house.db.transaction(org_ids=[poison.org_id]) as session:
        steps = await session.execute(text("SELECT pipeline, step, state, error FROM pipeline_runs"))
        assert {tuple(step) for step in steps} == {("backup", "organization", "failed", bad.error)}
    async with owner.transaction() as session:
        night = (await backups.newest(session, limit=1))[0]
        assert (night.kind, night.state) == ("organizations", "failed")

    monkeypatch.setattr(packing, "pack", pack)
    await house.store.put(key, snapshot)
    with runtime.use(house), temporary_settings(environment.api(house.settings.prefect_ui_url)):
        assert (await shelving.back_up_organizations(return_state=True)).is_completed()
    async with owner.transaction() as session:
        made, _ = await backups.last_good(session)
    assert clock.now() - made["organizations"] < timedelta(minutes=1)


async def test_one_is_made_when_an_admin_asks(house: Runtime, desk: Desk) -> None:
    async with house.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        scope = await orgs.enter(session, desk.actor, desk.org_id)
        asked = await organizations.request(session, scope)
    async with house.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        with pytest.raises(backups.BackupGoesOn):
            await organizations.request(session, scope)
    async with dispatching(house):
        await settled(house, [asked.id])
    [made] = await of(desk)
    assert (made.id, made.kind, made.state, made.error) == (asked.id, "requested", "succeeded", None)
    run = await flow_run(house, made.flow_run_id)
    assert {"kind:backup", f"org:{desk.org_id}"} <= set(run.tags)


@pytest.mark.parametrize("place", [-20, 200])
async def test_a_tampered_backup_is_refused(
    house: Runtime, stored: ObjectStore, desk: Desk, tmp_path: Path, place: int
) -> None:
    await desk.write(await desk.document(), *typing("kept"))
    made = await shelving.back_up(house, stored, desk.org_id, kind="operator")
    key = str(made.object_key)
    async with flipped(stored, key, place):
        with pytest.raises(BackupDamaged, match="is not what was stored"):
            await fetched(stored, made, tmp_path / "a")
        # Also where somebody has adapted the hash in the manifest: the content has hashes of its own.
        said = key.replace(shelf.ROWS, shelf.MANIFEST)
        manifest = await stored.get(said)
        digest, _ = await stored.digest(key)
        await stored.put(said, manifest.replace(str(made.sha256).encode(), digest.encode()))
        with pytest.raises(BackupDamaged, match=r"cannot be read|another one"):
            await fetched(stored, made, tmp_path / "b")
        await stored.put(said, manifest)
    other = shelf.folder(uuid4(), made.id, clock.now())
    await stored.put(f"{other}/{shelf.MANIFEST}", manifest)  # somebody else's, put where it does not belong
    with pytest.raises(BackupDamaged, match="describes something else"):
        await shelf.manifest(stored, await shelf.find(stored, org_id=UUID(other.split("/")[1])))
    await stored.delete(f"{other}/{shelf.MANIFEST}")
    await fetched(stored, made, tmp_path / "c")


async def test_what_a_kept_backup_refers_to_is_not_swept(
    house: Runtime, owner: Database, stored: ObjectStore, desk: Desk
) -> None:
    document_id, key = await snapshotted(desk)
    made = await shelving.back_up(house, stored, desk.org_id, kind="operator")
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        await session.execute(text("DELETE FROM documents WHERE id = :id"), {"id": document_id})
    later = clock.now() + timedelta(seconds=5)
    for _ in range(2):
        await sweeping.sweep(house, owner, before=later)
    assert await house.store.exists(key)
    await stored.delete(str(made.object_key).replace(shelf.ROWS, shelf.MANIFEST))
    await stored.delete(str(made.object_key))
    await sweeping.sweep(house, owner, before=later)
    assert not await house.store.exists(key)


async def test_old_ones_go_and_one_a_day_stays(house: Runtime, stored: ObjectStore, desk: Desk) -> None:
    now, kept = clock.now(), house.settings.backup_keep_days
    async with house.db.transaction(org_ids=[desk.org_id]) as session:
        for days in range(kept + 3):
            backup_id = clock.new_id()
            folder = shelf.folder(desk.org_id, backup_id, now - timedelta(days=days, minutes=1))
            for name in (shelf.ROWS, shelf.MANIFEST):
                await stored.put(f"{folder}/{name}", b"x")
            session.add(OrganizationBackup(org_id=desk.org_id, id=backup_id, kind="scheduled", state="succeeded"))
    await shelving.back_up(house, stored, desk.org_id, kind="operator")
    left = await shelf.shelved(stored, desk.org_id)
    assert {now.date() - one.started_at.date() for one in left} <= {timedelta(days=days) for days in range(kept + 1)}
    assert kept <= len(left) <= kept + 1
    assert {one.id for one in await of(desk)} == {one.backup_id for one in left}


async def test_old_ones_of_an_organization_that_is_gone_go_and_those_of_another_installation_stay(
    house: Runtime, stored: ObjectStore, desk: Desk
) -> None:
    made = await shelving.back_up(house, stored, desk.org_id, kind="operator")
    said = json.loads(await stored.get(str(made.object_key).replace(shelf.ROWS, shelf.MANIFEST)))
    old = clock.now() - timedelta(days=house.settings.backup_keep_days + 1)

    async def put(manifest: dict[str, Any], started_at: datetime = old) -> str:
        folder = shelf.folder(uuid4(), uuid4(), started_at)
        await stored.put(f"{folder}/{shelf.ROWS}", b"x")
        await stored.put(f"{folder}/{shelf.MANIFEST}", json.dumps(manifest).encode())
        return folder

    gone, young = await put(said), await put(said, clock.now())
    theirs = [await put(said | {"cluster": "7123456789012345678"}), await put({"format": "another"})]
    assert await shelving.prune_gone(house, stored, {desk.org_id}) == 1
    left = {one.folder for one in await shelf.shelved(stored)}
    assert gone not in left and {young, *theirs} <= left
    assert not await stored.list(gone)
    for folder in (young, *theirs):
        for name in (shelf.ROWS, shelf.MANIFEST):
            await stored.delete(f"{folder}/{name}")


async def test_the_command_makes_one_and_lists_them(
    house: Runtime, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating, "get_settings", lambda: house.settings)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["admin", *arguments])
        return result.exit_code, result.output

    code, output = await asyncio.to_thread(run, "backup-org", str(desk.org_id))
    assert (code, "succeeded: " in output) == (0, True), output
    [made] = await of(desk)
    code, output = await asyncio.to_thread(run, "org-backups", str(desk.org_id))
    assert code == 0
    assert f"{made.id}" in output and "operator" in output and f"{made.rows} rows" in output
    code, output = await asyncio.to_thread(run, "backup-org", str(uuid4()))
    assert (code, "OrgNotFound" in output) == (1, True), output
