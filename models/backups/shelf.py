"""Where backups of organizations lie in the bucket of the backups: a folder each, a manifest in it as the last thing.

What a backup is, its manifest says and no row: so it can be found and restored when the organization is gone.
"""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from infra.storage import ObjectMissing, ObjectStore
from models.backups import packing
from models.backups.organizations import BackupNotFound
from models.backups.packing import BackupDamaged

PREFIX = "org-backups/"
MANIFEST = "manifest.json"
ROWS = "rows.zst"

_TIME = "%Y-%m-%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A whole backup in the bucket, by its name alone."""

    org_id: UUID
    backup_id: UUID
    started_at: datetime
    folder: str


def folder(org_id: UUID, backup_id: UUID, started_at: datetime) -> str:
    """Where a backup lies."""
    return f"{below(org_id)}{started_at.astimezone(UTC):{_TIME}}-{backup_id}"


def below(org_id: UUID) -> str:
    """Where all of an organization lie."""
    return f"{PREFIX}{org_id}/"


async def shelved(store: ObjectStore, org_id: UUID | None = None) -> list[Shelved]:
    """The whole backups there are (of an organization), oldest first."""
    keys = await store.list(below(org_id) if org_id else PREFIX)
    found = [parsed(key.rpartition("/")[0]) for key, _ in keys if key.endswith(f"/{MANIFEST}")]
    return sorted(found, key=lambda one: (one.started_at, one.backup_id))


async def find(
    store: ObjectStore, *, org_id: UUID | None = None, backup_id: UUID | None = None, until: datetime | None = None
) -> Shelved:
    """One by its id; else the newest of an organization, begun before a moment where one is given.

    Raises:
        BackupNotFound: there is none.
    """
    found = [
        one
        for one in await shelved(store, org_id)
        if backup_id in (None, one.backup_id) and (until is None or one.started_at <= until)
    ]
    if not found:
        raise BackupNotFound(f"There is no backup {backup_id or f'of the organization {org_id}'} in {store.bucket}.")
    return found[-1]


async def manifest(store: ObjectStore, backup: Shelved) -> dict[str, Any]:
    """What a backup says it is.

    Raises:
        BackupDamaged: that cannot be read, or is said of another one.
    """
    key = f"{backup.folder}/{MANIFEST}"
    try:
        said: dict[str, Any] = json.loads(await store.get(key))
        whose = (said["format"], said["org_id"], said["backup_id"], said["object"])
        needed = ("sha256", "schema", "tables", "references", "raw_sha256", "raw_bytes", "taken_at")
        complete = all(said[name] is not None for name in needed)
        packing.require_names(said)
    except (ValueError, KeyError, TypeError) as error:
        raise BackupDamaged(f"{key} cannot be read: {error!r}") from error
    expected = (packing.FORMAT, str(backup.org_id), str(backup.backup_id), f"{backup.folder}/{ROWS}")
    if whose != expected or not complete:
        raise BackupDamaged(f"{key} describes something else: {whose}")
    return said


async def cluster(store: ObjectStore, backup: Shelved) -> str | None:
    """The Postgres cluster that it was made of; None where its manifest does not say so."""
    try:
        said = json.loads(await store.get(f"{backup.folder}/{MANIFEST}"))["cluster"]
    except (ValueError, KeyError, TypeError):
        return None
    return str(said)


async def fetch(store: ObjectStore, said: dict[str, Any], path: Path) -> None:
    """Bring the rows of a backup into a file, every one of them checked.

    Raises:
        BackupDamaged: they are not what was stored.
    """
    key = said["object"]
    try:
        digest = await store.get_file(key, path)
    except ObjectMissing as error:
        raise BackupDamaged(f"{key} is missing") from error
    if digest != said["sha256"]:
        raise BackupDamaged(f"{key} is not what was stored: its SHA-256 is {digest}, not {said['sha256']}")
    try:
        await asyncio.to_thread(packing.check, path, said)
    except BackupDamaged as error:
        raise BackupDamaged(f"{key}: {error}") from error


async def references(store: ObjectStore, org_ids: Collection[UUID]) -> set[str]:
    """The objects that any backup of these organizations needs.

    Raises:
        BackupDamaged: one cannot be read, so nobody knows.
    """
    needed: set[str] = set()
    for org_id in sorted(org_ids):
        for one in await shelved(store, org_id):
            needed |= {key for _, key, _ in (await manifest(store, one))["references"]}
    return needed


async def remove_all(store: ObjectStore, org_id: UUID) -> int:
    """Remove every backup of an organization, as when it is erased; how many objects."""
    keys = await store.list(below(org_id))
    for key, _ in keys:
        await store.delete(key)
    return len(keys)


def parsed(path: str) -> Shelved:
    """What the name of a folder says."""
    _, org_id, name = path.split("/")
    started_at = datetime.strptime(name[:18], _TIME).replace(tzinfo=UTC)
    return Shelved(UUID(org_id), UUID(name[19:]), started_at, path)
