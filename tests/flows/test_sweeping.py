"""What nothing needs goes once no backup needs it either; copies are complete, and checked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from flows import bases as making
from flows import runtime, sweeping
from flows.runtime import Runtime
from infra import clock
from infra.db import Database
from infra.recovery import base as bases
from infra.recovery import mirror, wal
from infra.recovery.base import Base
from infra.storage import ObjectStore
from models import documents
from models.documents import state
from tests.flows.desk import Desk, deployment, dispatching, new_desk, settled, snapshotted, typing

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def house(worker: Runtime) -> AsyncIterator[Runtime]:
    """A deployment with a bucket of its own, so that it holds nothing of others."""
    shared = worker.settings.model_copy(update={"s3_bucket": f"sweep-{UUID(int=1)}", "replica_bucket": "sweep-replica"})
    async with deployment(shared) as settings, runtime.opened_with(settings) as opened:
        yield opened


async def test_objects_go_once_they_are_needless_for_long_enough(house: Runtime, owner: Database) -> None:
    desk: Desk = await new_desk(house)
    _, kept = await snapshotted(desk)
    loose = state.snapshot_key(desk.org_id, "0" * 64)
    foreign = f"orgs/{desk.org_id}/somebodys/thing"
    theirs = state.snapshot_key(uuid4(), "0" * 64)  # another installation's, in the same bucket
    for key in (loose, foreign, theirs):
        await house.store.put(key, b"x")

    later = clock.now() + timedelta(seconds=5)
    first = await sweeping.sweep(house, owner, before=clock.now() - timedelta(days=1))
    assert (first.unreferenced, first.removed, first.missing) == (1, 0, 0)
    # A backup from before it became needless may need it: only now it may go.
    second = await sweeping.sweep(house, owner, before=later)
    assert (second.removed, second.bytes_removed) == (1, 1)
    assert await house.store.exists(kept)
    assert await house.store.exists(foreign) and await house.store.exists(theirs)
    assert not await house.store.exists(loose)

    # What is needed again meanwhile is no longer counted as needless.
    await house.store.put(loose, b"y")
    await sweeping.sweep(house, owner, before=clock.now() - timedelta(days=1))
    async with owner.transaction(org_ids=[desk.org_id]) as session:
        await session.execute(text("UPDATE document_streams SET snapshot_sha256 = :sha"), {"sha": "0" * 64})
    third = await sweeping.sweep(house, owner, before=later)
    assert (third.removed, third.unreferenced) == (0, 0)
    async with owner.transaction() as session:
        assert list(await session.scalars(text("SELECT key FROM unreferenced_objects"))) == []

    await house.store.delete(kept)
    assert (await sweeping.sweep(house, owner, before=later)).missing == 1


async def test_the_second_bucket_has_everything(house: Runtime) -> None:
    await house.store.put("orgs/a/snapshots/one", b"1")
    first = await sweeping.copy_all(house.settings)
    assert first.objects >= 1
    keys = [key for key, _ in await house.store.list()]
    again = await sweeping.copy_all(house.settings)  # the rest of the stack may have written more meanwhile
    assert again.there >= first.objects + first.there
    replica = ObjectStore(house.settings, house.settings.replica_bucket)
    assert await mirror.differences(house.store, replica, keys, below=f"{house.store.bucket}/") == []
    # What is lost here stays there for as long as backups do.
    await house.store.delete("orgs/a/snapshots/one")
    assert (await sweeping.copy_all(house.settings)).removed == 0
    assert await replica.get(f"{house.store.bucket}/orgs/a/snapshots/one") == b"1"
    old = clock.now() + timedelta(days=1)
    assert await mirror.prune(replica, f"{house.store.bucket}/", set(), before=old) >= 1
    await replica.close()


def base_of(number: int, *, at: datetime = EPOCH, timeline: int = 1, lsn: int = 1) -> Base:
    """A base backup as its manifest might describe it."""
    folder = f"{bases.PREFIX}7/{at:%Y-%m-%dT%H%M%SZ}-{number}"
    segment = f"{timeline:08X}{0:08X}{number * 10:08X}"
    return Base(UUID(int=number), folder, "7", timeline, segment, lsn, at, at, "x", 1, 1, "18")


async def test_old_base_backups_go_with_the_log_only_they_need(house: Runtime, tmp_path: Path) -> None:
    settings = house.settings.model_copy(
        update={"s3_backup_bucket": f"bases-{UUID(int=2)}", "backup_keep_count": 2, "backup_keep_days": 10}
    )
    store = ObjectStore(settings, settings.s3_backup_bucket)
    await store.ensure_bucket()
    now = clock.now() + timedelta(days=2)  # everything in the store is then two days old
    for number, age in enumerate((30, 20, 5, 1), start=1):
        at = now - timedelta(days=age)
        base = base_of(number, at=at)
        await store.put(base.object_key, b"x")
        await store.put(f"{base.folder}/{bases.MANIFEST}", base.encode())
    interrupted = f"{bases.PREFIX}7/2026-01-01T000000Z-9/base.tar.zst"
    names = [f"{1:08X}{0:08X}{number:08X}" for number in (5, 10, 29, 30, 45)] + ["00000002.history"]
    await store.put(interrupted, b"x")
    for name in names:
        await store.put(wal.key("7", name), b"x")
    await making.prune(store, settings, now=now)
    assert [base.id.int for base in await bases.stored(store)] == [3, 4]
    assert not await store.exists(interrupted)
    left = [key.rpartition("/")[2].removesuffix(".zst") for key, _ in await store.list(wal.PREFIX)]
    assert left == sorted([*names[3:5], names[5]])
    for key, _ in await store.list():
        await store.delete(key)
    await store.close()


async def test_what_was_deleted_for_good_leaves_its_objects_to_the_sweep(house: Runtime, owner: Database) -> None:
    desk: Desk = await new_desk(house)
    document_id = await desk.document()
    async with dispatching(house):
        await desk.write(document_id, *typing("erased"))
        await settled(house, [document_id])
    [revision] = await desk.revisions(document_id)
    snapshot = state.snapshot_key(desk.org_id, str(revision.sha256))
    await sweeping.sweep(house, owner, before=EPOCH)
    async with house.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
        _, scope = await documents.enter(session, desk.actor, document_id)
        await documents.trash(session, scope, document_id)
        await documents.erase(session, scope, document_id)
    await sweeping.sweep(house, owner, before=EPOCH)
    assert await house.store.exists(snapshot), "a backup may need it"
    await sweeping.sweep(house, owner, before=clock.now() + timedelta(seconds=5))
    assert not await house.store.exists(snapshot)
