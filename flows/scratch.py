"""A backup in a scratch server, for drills and for bringing documents back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.util import CommandError
from sqlalchemy import make_url

from flows.runtime import Runtime
from infra import clock, postgres_tools
from infra.db import Database
from infra.recovery import base as bases
from infra.recovery import server
from infra.recovery.base import BaseDamaged, NoBackup
from infra.recovery.server import RecoveryFailed, Server
from infra.stack.home import Home
from infra.storage import ObjectStore
from models import backups
from models.backups import packing, shelf
from models.backups.shelf import Shelved
from models.migrations import __main__ as migrations


@dataclass(slots=True)
class Restored:
    """A database that came back, and how."""

    url: str
    source: str
    restored_to: datetime | None
    """When the newest transaction was committed that came back."""
    opened_at: datetime
    """Right after the end of what was archived: what was committed in between would be lost with the disk."""
    seconds: float


@asynccontextmanager
async def restored(
    worker: Runtime, store: ObjectStore, work: Path, *, until: datetime | None = None
) -> AsyncIterator[Restored]:
    """The newest backup, or one of a moment, in a scratch server, for as long as the block.

    Raises:
        NoBackup: there is none.
        BaseDamaged, CannotBackUp, RecoveryFailed: it cannot be restored.
    """
    began, home = time.monotonic(), Home(worker.settings.home)
    name = make_url(worker.settings.database_url.get_secret_value()).database or "doxie"
    if not worker.settings.wal_archive_seconds:
        async with _from_dump(worker, store, work, home, name, until) as found:
            found.seconds = time.monotonic() - began
            yield found
        return
    base = await bases.choose(store, until)
    cluster = work / "cluster"
    await bases.fetch(store, base, cluster, work)
    async with server.recovered(home, cluster, _variables(worker), until=until) as running:
        last = server.last_restored(running)
        yield Restored(running.url(name), base.folder, last, clock.now(), time.monotonic() - began)


@asynccontextmanager
async def _from_dump(
    worker: Runtime, store: ObjectStore, work: Path, home: Home, name: str, until: datetime | None
) -> AsyncIterator[Restored]:
    """Where somebody else runs Postgres: the newest dump, or the newest that was begun before a moment."""
    async with worker.db.transaction() as session:
        dump = await backups.newest_dump(session, until=until)
    if dump is None:
        raise NoBackup(f"there is no dump of {until}" if until else "there is no dump")
    path = work / "database.dump"
    key = str(dump.object_key)
    if await store.get_file(key, path) != dump.sha256:
        raise BaseDamaged(f"{key} is not what was stored")
    async with server.fresh(home, work / "cluster") as running:
        await _fill(running, name, path)
        yield Restored(running.url(name), key, dump.started_at, clock.now(), 0)


@asynccontextmanager
async def unpacked(worker: Runtime, store: ObjectStore, work: Path, backup: Shelved) -> AsyncIterator[Restored]:
    """The backup of one organization in a scratch server of its own, for as long as the block: nobody else's rows.

    Raises:
        BackupDamaged: it is not what was stored.
        RecoveryFailed: there is no server.
    """
    began = time.monotonic()
    said = await shelf.manifest(store, backup)
    packed = work / "rows.zst"
    await shelf.fetch(store, said, packed)
    async with server.fresh(Home(worker.settings.home), work / "organization") as running:
        server.create_database(running, "doxie")
        db = Database(running.url(), pool_size=1)
        try:
            # Into tables as they were when it was made; what has changed since, the migrations know.
            await _migrate(running, said["schema"])
            async with db.transaction() as session:
                await packing.load(session, packed, said)
        finally:
            await db.close()
        await _migrate(running, "head")
        taken_at = datetime.fromisoformat(said["taken_at"])
        yield Restored(running.url(), backup.folder, taken_at, clock.now(), time.monotonic() - began)


async def _migrate(running: Server, revision: str) -> None:
    try:
        await asyncio.to_thread(command.upgrade, migrations.config(running.url()), revision)
    except CommandError as error:
        raise RecoveryFailed(f"the schema {revision} is not one of this version of Doxie: {error}") from error


async def _fill(running: Server, name: str, path: Path) -> None:
    server.create_database(running, name)
    await postgres_tools.restore(running.url(name), path, owned=False)


def _variables(worker: Runtime) -> dict[str, str]:
    settings = worker.settings
    return {
        "DOXIE_S3_ENDPOINT": settings.s3_endpoint,
        "DOXIE_S3_REGION": settings.s3_region,
        "DOXIE_S3_ACCESS_KEY": settings.s3_access_key.get_secret_value(),
        "DOXIE_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "DOXIE_S3_BACKUP_BUCKET": settings.s3_backup_bucket,
    }
