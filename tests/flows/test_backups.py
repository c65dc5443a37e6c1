"""Backups: what comes back is what was there."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prefect.settings import temporary_settings
from sqlalchemy import make_url, text

from flows import backups as flow
from flows import environment, runtime
from flows.runtime import Runtime
from infra import clock, hashing, postgres_tools
from infra.db import Database
from infra.storage import ObjectStore
from models import backups
from models.backups import Backup
from tests.flows.desk import Desk, flow_run, scratch_database, typing, url_of

TABLES = ("users", "organizations", "memberships", "documents", "document_streams", "document_updates")


async def rows(url: str) -> dict[str, list[str]]:
    """Every row of the tables, as the owner sees them."""
    db = Database(url, pool_size=1)
    async with db.transaction() as session:
        found = {
            table: [str(row) for row in await session.execute(text(f"SELECT t FROM {table} t ORDER BY 1"))]
            for table in TABLES
        }
    await db.close()
    return found


async def back_up(worker: Runtime) -> Backup:
    with runtime.use(worker), temporary_settings(environment.api(worker.settings.prefect_ui_url)):
        await flow.nightly_backup.with_options(retries=0)()
    async with worker.db.transaction() as session:
        return (await backups.newest(session, limit=1))[0]


async def test_a_backup_restores_to_the_same_rows(worker: Runtime, desk: Desk, tmp_path: Path) -> None:
    await desk.write(await desk.document(), *typing("kept"))
    url = worker.settings.database_url.get_secret_value()
    before = await rows(url)
    backup = await back_up(worker)
    assert (backup.state, backup.error) == ("succeeded", None)
    assert (await flow_run(worker, backup.flow_run_id)).state_name == "Completed"

    store = ObjectStore(worker.settings, worker.settings.s3_backup_bucket)
    dump = await store.get(str(backup.object_key))
    assert (hashing.sha256_hex(dump), len(dump)) == (backup.sha256, backup.bytes)
    assert await store.exists(str(backup.object_key).replace("database.dump", "manifest.json"))
    path = tmp_path / "database.dump"
    path.write_bytes(dump)
    owner = make_url(url)
    async with scratch_database(owner) as name:
        scratch = url_of(owner.set(database=name))
        await postgres_tools.restore(scratch, path)
        assert await rows(scratch) == before
    assert len(before["document_updates"]) >= 4
    await store.close()


async def test_a_role_that_does_not_see_all_rows_backs_nothing_up(worker: Runtime) -> None:
    with pytest.raises(postgres_tools.CannotBackUp, match="BYPASSRLS"):
        await postgres_tools.require_all_rows(worker.settings.app_database_url.get_secret_value())


async def test_old_backups_go_and_one_a_day_stays(worker: Runtime) -> None:
    settings = worker.settings.model_copy(update={"s3_backup_bucket": f"prune-{UUID(int=7)}"})
    store = ObjectStore(settings, settings.s3_backup_bucket)
    await store.ensure_bucket()
    now = clock.now()
    times = [now - timedelta(days=day, minutes=minute) for day in range(5) for minute in (0, 1)]
    for at in times:
        for name in ("database.dump", "manifest.json"):
            await store.put(f"{flow.PREFIX}{at:%Y-%m-%dT%H%M%SZ}-x/{name}", b"x")
    interrupted = f"{flow.PREFIX}{now - timedelta(days=2, hours=1):%Y-%m-%dT%H%M%SZ}-y/database.dump"
    await store.put(interrupted, b"x")
    await flow.prune(store, flow.PREFIX, now=now, keep_days=3)
    left = {key.split("/")[1][:10] for key, _ in await store.list(flow.PREFIX)}
    assert left == {f"{now - timedelta(days=day):%Y-%m-%d}" for day in range(3)}
    assert not await store.exists(interrupted)
    for key, _ in await store.list():
        await store.delete(key)
    await store.close()
