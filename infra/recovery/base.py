"""Base backups: the whole cluster as one verified object, which the archived log brings to any later moment."""

import asyncio
import json
import re
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import zstandard

from infra import clock, postgres_tools
from infra.recovery import wal
from infra.storage import ObjectStore

PREFIX = "base/"
MANIFEST = "manifest.json"

_START = re.compile(r"^START WAL LOCATION: (\S+) \(file ([0-9A-F]{24})\)$", re.MULTILINE)
_VERSION = "PG_VERSION"


class NoBackup(LookupError):
    """There is nothing to restore from."""


class BaseDamaged(RuntimeError):
    """A base backup is not what was stored."""


@dataclass(frozen=True, slots=True)
class Base:
    """A stored base backup, as its manifest describes it."""

    id: UUID
    folder: str
    system: str
    timeline: int
    start_segment: str
    """The first file of the log that is needed with it."""
    stop_lsn: int
    started_at: datetime
    finished_at: datetime
    """It can be brought to any moment from here on."""
    sha256: str
    size: int
    size_raw: int
    postgres: str

    @property
    def object_key(self) -> str:
        """The name of the cluster's files."""
        return f"{self.folder}/base.tar.zst"

    def encode(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), indent=2, default=str).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Base":
        """From JSON."""
        fields: dict[str, Any] = json.loads(data)
        times = {name: datetime.fromisoformat(fields[name]) for name in ("started_at", "finished_at")}
        return cls(**{**fields, **times, "id": UUID(fields["id"])})


async def take(url: str, store: ObjectStore, work: Path, *, backup_id: UUID) -> Base:
    """Copy a cluster, check the copy, store it, read it back. `work` is an empty directory with room for it.

    Raises:
        CannotBackUp: Postgres does not let us, or the copy is not whole.
        ObjectCorrupt: the object does not read back as it was written.
    """
    started = clock.now()
    copy, packed = work / "cluster", work / "base.tar.zst"
    await postgres_tools.base_backup(url, copy)
    finished = clock.now()
    await postgres_tools.verify_backup(copy)
    system = wal.system_of(copy)
    ranges = json.loads((copy / "backup_manifest").read_text())["WAL-Ranges"]
    start = _START.search((copy / "backup_label").read_text())
    if start is None:
        raise postgres_tools.CannotBackUp("the copy does not say where its log begins")
    folder = f"{PREFIX}{system}/{started:%Y-%m-%dT%H%M%SZ}-{backup_id}"
    raw = await asyncio.to_thread(_pack, copy, packed)
    sha256 = await store.put_file(f"{folder}/base.tar.zst", packed)
    base = Base(
        id=backup_id,
        folder=folder,
        system=system,
        timeline=ranges[-1]["Timeline"],
        start_segment=start[2],
        stop_lsn=lsn(ranges[-1]["End-LSN"]),
        started_at=started,
        finished_at=finished,
        sha256=sha256,
        size=packed.stat().st_size,
        size_raw=raw,
        postgres=(copy / _VERSION).read_text().strip(),
    )
    # Last: a backup without a manifest was interrupted, and counts for nothing.
    await store.put(f"{folder}/{MANIFEST}", base.encode(), "application/json")
    return base


async def stored(store: ObjectStore, system: str = "") -> list[Base]:
    """The base backups there are (of one cluster), oldest first."""
    below = f"{PREFIX}{system}/" if system else PREFIX
    keys = [key for key, _ in await store.list(below) if key.endswith(f"/{MANIFEST}")]
    bases = [Base.decode(await store.get(key)) for key in keys]
    return sorted(bases, key=lambda base: base.finished_at)


async def choose(store: ObjectStore, until: datetime | None) -> Base:
    """The base backup to start from: the newest from before a moment that leads to where the archive ends.

    Raises:
        NoBackup: there is none.
    """
    known = await stored(store)
    if not known:
        raise NoBackup(f"there is no base backup in the bucket {store.bucket}")
    system = known[-1].system
    timeline, forks = await history(store, system)
    usable = reachable([base for base in known if base.system == system], forks, timeline)
    early = [base for base in usable if until is None or base.finished_at <= until]
    if not early:
        first = min((base.finished_at for base in usable), default=None)
        raise NoBackup(f"no base backup is that old: the earliest moment is {first}")
    return early[-1]


async def fetch(store: ObjectStore, base: Base, target: Path, work: Path) -> None:
    """Put the files of a base backup into a new directory, and check every one of them.

    Raises:
        BaseDamaged: the object is not what was stored.
        CannotBackUp: a file is not what was copied.
    """
    packed = work / "base.tar.zst"
    if await store.get_file(base.object_key, packed) != base.sha256:
        raise BaseDamaged(f"{base.object_key} is not what was stored")
    await asyncio.to_thread(_unpack, packed, target)
    packed.unlink()
    await postgres_tools.verify_backup(target)


def reachable(bases: Sequence[Base], forks: Sequence[tuple[int, int]], timeline: int) -> list[Base]:
    """Those from which the newest timeline can be reached; `forks`: (parent, LSN where it was left).

    After a restore to an earlier moment there may be backups of the time that was given up.
    """
    left = dict(forks)
    return [base for base in bases if base.timeline == timeline or base.stop_lsn <= left.get(base.timeline, -1)]


async def history(store: ObjectStore, system: str) -> tuple[int, list[tuple[int, int]]]:
    """The newest timeline in the archive, and the forks on the way to it."""
    keys = [key for key, _ in await store.list(f"{wal.PREFIX}{system}/") if key.endswith(".history.zst")]
    if not keys:
        return 1, []
    newest = max(keys)
    lines = wal.unpack(await store.get(newest)).decode().splitlines()
    forks = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return int(newest.rpartition("/")[2][:8], 16), [(int(parent), lsn(at)) for parent, at, *_ in forks]


def lsn(text: str) -> int:
    """A place in the log, `16/B374D848`, as a number."""
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)


def _pack(directory: Path, packed: Path) -> int:
    """One compressed archive of a directory; the bytes it had."""
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
    with (
        packed.open("wb") as file,
        compressor.stream_writer(file) as writer,
        tarfile.open(fileobj=writer, mode="w|") as archive,
    ):
        archive.add(directory, arcname=".")
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _unpack(packed: Path, directory: Path) -> None:
    directory.mkdir(mode=0o700)
    try:
        with (
            packed.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as reader,
            tarfile.open(fileobj=reader, mode="r|") as archive,
        ):
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            archive.extractall(directory)  # noqa: S202 - ours: its hash is the one we stored
    except (tarfile.TarError, zstandard.ZstdError) as error:
        shutil.rmtree(directory)
        raise BaseDamaged(f"{packed.name} cannot be unpacked: {error}") from error
    directory.chmod(0o700)
