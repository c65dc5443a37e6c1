"""The flow that backs the database up."""

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import leases, runtime
from flows.runtime import Runtime
from infra import clock, postgres_tools
from infra.storage import ObjectStore
from models import backups
from models.backups import Backup

PREFIX = "backups/"


@flow(name="nightly_backup", flow_run_name=runtime.dated("nightly backup"), retries=2, retry_delay_seconds=60)
async def nightly_backup() -> State[Any]:
    """Dump the database, check the dump, store it, read it back, and prune old ones."""
    async with (
        runtime.opened() as worker,
        runtime.backup_store(worker) as store,
        leases.held(worker, "nightly_backup"),
    ):
        async with worker.db.transaction() as session:
            backup = await backups.begin(session, kind="dump", flow_run_id=runtime.flow_run_id())
        try:
            manifest = await _back_up(worker, store, backup)
        except Exception as error:
            async with worker.db.transaction() as session:
                await backups.fail(session, backup, f"{type(error).__name__}: {error}")
            raise
        pruned = await prune(store, PREFIX, now=clock.now(), keep_days=worker.settings.backup_keep_days)
    return Completed(message=f"{manifest['object']}, {manifest['bytes']} bytes; {len(pruned)} old ones removed")


async def _back_up(worker: Runtime, store: ObjectStore, backup: Backup) -> dict[str, Any]:
    key = f"{PREFIX}{backup.started_at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}-{backup.id}"
    url = worker.settings.database_url.get_secret_value()
    with tempfile.TemporaryDirectory(prefix="backup-", dir=worker.settings.home) as directory:
        dump = Path(directory) / "database.dump"
        await postgres_tools.require_all_rows(url)
        runtime.note("dumping the database")
        await postgres_tools.dump(url, dump)
        entries = await postgres_tools.check(dump)
        runtime.note(f"storing a dump of {dump.stat().st_size} bytes and {entries} entries as {key}")
        sha256 = await store.put_file(f"{key}/database.dump", dump)
        size = dump.stat().st_size
    manifest: dict[str, Any] = {
        "backup_id": str(backup.id),
        "kind": backup.kind,
        "started_at": backup.started_at.isoformat(),
        "object": f"{key}/database.dump",
        "sha256": sha256,
        "bytes": size,
        "entries": entries,
        "flow_run_id": str(backup.flow_run_id) if backup.flow_run_id else None,
    }
    await store.put(f"{key}/manifest.json", json.dumps(manifest, indent=2).encode(), "application/json")
    async with worker.db.transaction() as session:
        await backups.succeed(session, backup, object_key=manifest["object"], sha256=sha256, size=size)
    runtime.note(f"stored and read back, sha256 {sha256}")
    return manifest


async def prune(store: ObjectStore, prefix: str, *, now: datetime, keep_days: int) -> set[str]:
    """Remove the backups under a prefix that are not to be kept; their folders, whose names begin with a time.

    Of the newest days with any, one each is kept; of today all. Only whole backups count: one without a manifest was
    interrupted, and goes after a day.
    """
    objects = [key for key, _ in await store.list(prefix)]
    whole = {key.rpartition("/")[0] for key in objects if key.endswith("/manifest.json")}
    kept = _kept(whole, now, keep_days)
    doomed = {folder for key in objects if (folder := key.rpartition("/")[0]) not in kept}
    doomed = {folder for folder in doomed if folder in whole or _time(folder) < now - timedelta(days=1)}
    for key in objects:
        if key.rpartition("/")[0] in doomed:
            await store.delete(key)
    return doomed


def _kept(folders: set[str], now: datetime, keep_days: int) -> set[str]:
    newest: dict[str, str] = {}
    for folder in sorted(folders):
        newest[folder.rpartition("/")[2][:10]] = folder
    daily = {newest[day] for day in sorted(newest)[-keep_days:]}
    return daily | {folder for folder in folders if _time(folder) > now - timedelta(days=1)}


def _time(folder: str) -> datetime:
    return datetime.strptime(folder.rpartition("/")[2][:18], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
