"""Restore drills: what comes back is what was there, and one wrong byte anywhere is found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.settings import temporary_settings
from pycrdt import Doc
from sqlalchemy import text

from flows import bases as making
from flows import drills, environment, runtime, scratch, shelving
from flows.drills import Report
from flows.runtime import Runtime
from infra import clock
from infra.db import Database
from infra.recovery import base as bases
from infra.recovery import examine, wal
from infra.recovery.base import Base, BaseDamaged
from infra.recovery.examine import Finding
from infra.recovery.server import RecoveryFailed
from infra.storage import ObjectStore
from models import archive, backups
from models.archive import Plan
from models.backups import shelf
from models.documents import history, state
from tests.flows.desk import Desk, dispatching, flow_run, new_desk, settled, typing, until
from tests.flows.test_archiving import NOW


@pytest.fixture(scope="module")
async def base(house: Runtime, stored: ObjectStore, document: UUID) -> Base:
    return await making.make(house, stored)


@pytest.fixture(scope="module")
async def desk(house: Runtime) -> Desk:
    return await new_desk(house)


@pytest.fixture(scope="module")
async def document(house: Runtime, owner: Database, desk: Desk) -> UUID:
    """One with an archived beginning, a snapshot, and a tail."""
    document_id, doc = await desk.document(), Doc[Any]()
    async with dispatching(house):
        await desk.write(document_id, *typing("archived, ", doc=doc))
        await settled(house, [document_id], 60)
        await archive.archive(owner, house.store, Plan(desk.org_id, document_id), age=NOW)
        await desk.write(document_id, *typing("folded, ", doc=doc))
        await settled(house, [document_id], 60)
    await desk.write(document_id, *typing("fresh", doc=doc))
    return document_id


async def shipped(owner: Database) -> None:
    """Wait until the log is archived up to here."""
    async with owner.transaction() as session:
        name = await session.scalar(text("SELECT pg_walfile_name(pg_switch_wal())"))

    async def is_archived() -> bool:
        async with owner.transaction() as session:
            return bool(await session.scalar(text(f"SELECT last_archived_wal >= '{name}' FROM pg_stat_archiver")))

    await until(is_archived, 90)


@asynccontextmanager
async def flipped(store: ObjectStore, key: str, place: int = -9) -> AsyncIterator[None]:
    """One byte of an object is another one during the block."""
    data = await store.get(key)
    damaged = bytearray(data)
    damaged[place] ^= 1
    await store.put(key, bytes(damaged))
    try:
        yield
    finally:
        await store.put(key, data)


async def test_a_drill_restores_everything_and_says_how_long_it_took(
    house: Runtime, owner: Database, desk: Desk, document: UUID, base: Base
) -> None:
    await desk.write(document, *typing(" after the base"))
    await shipped(owner)
    with runtime.use(house), temporary_settings(environment.api(house.settings.prefect_ui_url)):
        result = await drills.restore_drill(return_state=True)
    async with owner.transaction() as session:
        [drill, *_] = await backups.newest_drills(session)
        _, good = await backups.last_good(session)
    assert (drill.state, drill.error, drill.findings) == ("good", None, [])
    assert result.is_completed()
    assert (await flow_run(house, drill.flow_run_id)).state_name == "Completed"
    assert drill.documents == 1
    assert drill.objects >= 4  # two snapshots, a segment, a base backup, its log
    assert drill.rto_seconds is not None and drill.rto_seconds > 0
    assert drill.rpo_seconds is not None and drill.rpo_seconds >= 0
    assert good == drill.started_at
    assert not list(house.settings.home.glob("drill-*"))


async def test_a_moment_between_two_edits_comes_back(
    house: Runtime, owner: Database, desk: Desk, stored: ObjectStore, document: UUID, base: Base, tmp_path: Path
) -> None:
    [before, *_] = await desk.write(document, *typing("x"))
    await asyncio.sleep(1.1)
    moment = clock.now()
    await asyncio.sleep(1.1)
    await desk.write(document, *typing("y"))
    await shipped(owner)
    async with scratch.restored(house, stored, tmp_path, until=moment) as found:
        then = Database(found.url, pool_size=1)
        async with then.transaction(org_ids=[desk.org_id]) as session:
            query = text("SELECT seq FROM document_streams WHERE document_id = :id")
            assert await session.scalar(query, {"id": document}) == before
        await then.close()
        assert found.restored_to is not None and found.restored_to <= moment


async def test_one_flipped_byte_is_found(
    house: Runtime, owner: Database, desk: Desk, stored: ObjectStore, document: UUID, base: Base, tmp_path: Path
) -> None:
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        [segment] = await history.archived(session, document)
    [snapshot, *_] = await desk.revisions(document)
    async with scratch.restored(house, stored, tmp_path) as found:
        # in a segment of the journal, and in a snapshot
        for kind, key in {
            "segment": history.segment_key(desk.org_id, segment.sha256),
            "snapshot": state.snapshot_key(desk.org_id, str(snapshot.sha256)),
        }.items():
            async with flipped(house.store, key):
                report = Report()
                await drills.compare(house, owner, found.url, report)
                assert kind in {finding.check for finding in report.findings}, kind
        report = Report()
        await drills.compare(house, owner, found.url, report)
        assert report.findings == []
        # in a row of the restored journal
        then = Database(found.url, pool_size=1)
        async with then.transaction(org_ids=[desk.org_id]) as session:
            flip = "UPDATE document_updates SET payload = set_byte(payload, 2, get_byte(payload, 2) # 1)"
            await session.execute(text(f"{flip} WHERE document_id = :id AND seq = 20"), {"id": document})
        await then.close()
        await drills.compare(house, owner, found.url, report)
        assert [finding.detail for finding in report.findings if finding.check == "journal"] == [
            "the chain breaks at seq 20"
        ]


async def test_one_flipped_byte_in_a_backup_is_found(
    house: Runtime, owner: Database, stored: ObjectStore, base: Base, tmp_path: Path
) -> None:
    async with flipped(stored, base.object_key, base.size // 2):
        with pytest.raises(BaseDamaged):
            await bases.fetch(stored, base, tmp_path / "damaged", tmp_path)
        assert base.folder in {finding.subject for finding in await examine.copies(stored, [base])}
        drill = await drills.carry_out(house, stored, owner)
        assert (drill.state, drill.findings[0]["check"]) == ("bad", "restore")
    assert await examine.copies(stored, [base]) == []


async def test_the_backups_of_organizations_are_part_of_a_drill(
    house: Runtime, owner: Database, desk: Desk, document: UUID, tmp_path: Path
) -> None:
    other, stored = await new_desk(house), ObjectStore(house.settings, f"shelf-{UUID(int=5)}")
    await stored.ensure_bucket()
    for org_id in (desk.org_id, desk.org_id, other.org_id):
        await shelving.back_up(house, stored, org_id, kind="operator")
    ours = [one.folder for org_id in (desk.org_id, other.org_id) for one in await shelf.shelved(stored, org_id)]
    loaded: list[str] = []

    async def drilled() -> list[Finding]:
        report = Report()
        async with owner.transaction() as session:
            await backups.begin_drill(session, flow_run_id=None)
        (work := tmp_path / uuid4().hex).mkdir()
        loaded.append(await drills.organizations(house, stored, owner, work, report) or "")
        return report.findings

    for _ in range(2):
        assert await drilled() == []
    assert set(loaded) == {ours[1], ours[2]}  # each in turn, and of each the newest
    for folder in ours:
        async with flipped(stored, f"{folder}/{shelf.ROWS}"):
            [finding] = await drilled()
            assert (finding.check, finding.subject) == ("organization backup", folder)
    # The bucket is another installation's too: its organizations are not here, and its backups not ours to read.
    await stored.put(f"{shelf.folder(uuid4(), uuid4(), clock.now())}/{shelf.MANIFEST}", b"theirs")
    assert await drilled() == []
    # What can be read, and is not what its own journal says.
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        [segment] = await history.archived(session, document)
    async with flipped(house.store, history.segment_key(desk.org_id, segment.sha256)):
        found = {finding.check for _ in range(2) for finding in await drilled()}
    await stored.close()
    assert "segment" in found


async def test_a_damaged_or_missing_log_is_found_and_ends_recovery(
    house: Runtime, owner: Database, desk: Desk, stored: ObjectStore, document: UUID, base: Base, tmp_path: Path
) -> None:
    for _ in range(2):  # that a segment is missing shows by a later one
        await desk.write(document, *typing("z"))
        await shipped(owner)
    [after] = wal.following(base.start_segment, 1)
    key = wal.key(base.system, after)
    (tmp_path / "one").mkdir()
    async with flipped(stored, key, 90):
        _, findings = await examine.archive(stored, base.system, base.start_segment)
        assert [finding.subject for finding in findings] == [after]
        with pytest.raises(RecoveryFailed):
            async with scratch.restored(house, stored, tmp_path / "one"):
                pass
    data = await stored.get(key)
    await stored.delete(key)
    _, findings = await examine.archive(stored, base.system, base.start_segment)
    assert [(finding.subject, finding.detail) for finding in findings] == [(after, "it is missing")]
    await stored.put(key, data)
    count, findings = await examine.archive(stored, base.system, base.start_segment)
    assert count >= 2
    assert findings == []
