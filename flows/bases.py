"""The flow that makes base backups, and forgets old ones together with the log only they need."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import leases, runtime
from flows.runtime import Runtime
from infra import clock
from infra.recovery import base as bases
from infra.recovery import wal
from infra.recovery.base import Base
from infra.settings import Settings
from infra.storage import ObjectStore
from models import backups

NOT_OURS = (
    "Postgres is not run by Doxie here: whoever runs it backs it up (docs/operations.md); dumps are made all the same"
)


@flow(name="base_backup", flow_run_name=runtime.dated("base backup"), retries=1, retry_delay_seconds=60)
async def base_backup(force: bool = False) -> State[Any]:
    """Copy the whole cluster, check the copy, store it, read it back. Only where one is due, unless forced."""
    async with (
        runtime.opened() as worker,
        runtime.backup_store(worker) as store,
        leases.held(worker, "base_backup"),
    ):
        if not worker.settings.wal_archive_seconds:
            return Completed(name="Skipped", message=NOT_OURS)
        if not force and not is_due(await bases.stored(store), worker.settings, clock.now()):
            return Completed(name="Skipped", message="none is due")
        base = await make(worker, store)
        removed = await prune(store, worker.settings, now=clock.now())
        runtime.note(f"{removed} objects of old backups removed")
    return Completed(message=f"{base.object_key}, {base.size} bytes for {base.size_raw}")


def is_due(known: list[Base], settings: Settings, now: datetime) -> bool:
    """Whether the newest is old, or there is none."""
    return not known or known[-1].finished_at < now - timedelta(hours=settings.base_backup_hours)


async def make(worker: Runtime, store: ObjectStore) -> Base:
    """Make a base backup, now."""
    async with worker.db.transaction() as session:
        backup = await backups.begin(session, kind="base", flow_run_id=runtime.flow_run_id())
    try:
        with tempfile.TemporaryDirectory(prefix="base-", dir=worker.settings.home) as directory:
            url = worker.settings.database_url.get_secret_value()
            base = await bases.take(url, store, Path(directory), backup_id=backup.id)
    except Exception as error:
        async with worker.db.transaction() as session:
            await backups.fail(session, backup, f"{type(error).__name__}: {error}")
        raise
    async with worker.db.transaction() as session:
        await backups.succeed(session, backup, object_key=base.object_key, sha256=base.sha256, size=base.size)
    return base


async def prune(store: ObjectStore, settings: Settings, *, now: datetime) -> int:
    """Remove base backups that are not to be kept, and the log that none of the others needs; how many objects.

    Of a cluster that is no more (another system identifier), age alone decides.
    """
    known = await bases.stored(store)
    if not known:
        return 0
    oldest = now - timedelta(days=settings.backup_keep_days)
    current = known[-1].system
    newest = {base.id for base in [base for base in known if base.system == current][-settings.backup_keep_count :]}
    kept = [base for base in known if base.id in newest or base.finished_at >= oldest]
    folders = {base.folder for base in kept}
    doomed = [
        stored.key
        for stored in await store.objects(bases.PREFIX)
        # One without a manifest is being made, or was interrupted: that shows after a day.
        if stored.key.rpartition("/")[0] not in folders and stored.modified < now - timedelta(days=1)
    ]
    first = {base.system: _place(base.start_segment) for base in reversed(kept)}
    for stored in await store.objects(wal.PREFIX):
        system, _, name = stored.key.removeprefix(wal.PREFIX).partition("/")
        if not name.endswith(".history.zst") and _is_needless(name, first.get(system), stored.modified < oldest):
            doomed.append(stored.key)
    # The manifest first: what is half removed must not count as a backup.
    for key in sorted(doomed, key=lambda key: not key.endswith(f"/{bases.MANIFEST}")):
        await store.delete(key)
    return len(doomed)


def _is_needless(name: str, first: str | None, is_old: bool) -> bool:
    return is_old if first is None else _place(name) < first


def _place(name: str) -> str:
    """Where in the log a file is, on whatever timeline."""
    return name[8:24]
