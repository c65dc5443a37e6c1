"""Reading everything that backups consist of, to find the one byte that is wrong."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from infra.recovery import wal
from infra.recovery.base import Base
from infra.storage import ObjectStore

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be."""

    check: str
    subject: str
    detail: str


async def archive(store: ObjectStore, system: str, first: str) -> tuple[int, list[Finding]]:
    """Read every archived file of the log from a segment on: how many, and those that are damaged or missing."""
    prefix = f"{wal.PREFIX}{system}/"
    names = [key.removeprefix(prefix).removesuffix(".zst") for key, _ in await store.list(prefix)]
    wanted = [name for name in names if (len(name) == 24 and name[8:] >= first[8:]) or name.endswith(".history")]
    gate = asyncio.Semaphore(AT_ONCE)

    async def read(name: str) -> Finding | None:
        async with gate:
            try:
                await asyncio.to_thread(wal.unpack, await store.get(wal.key(system, name)))
            except Exception as error:
                return Finding("log", name, f"{type(error).__name__}: {error}")
        return None

    found = await asyncio.gather(*(read(name) for name in wanted))
    return len(wanted), [finding for finding in found if finding] + _gaps([name for name in wanted if len(name) == 24])


async def copies(store: ObjectStore, known: Sequence[Base]) -> list[Finding]:
    """Base backups whose object is not what was stored."""
    findings: list[Finding] = []
    for base in known:
        try:
            sha256 = await store.get_file(base.object_key, None)
        except Exception as error:
            findings.append(Finding("base backup", base.folder, f"{type(error).__name__}: {error}"))
            continue
        if sha256 != base.sha256:
            findings.append(Finding("base backup", base.folder, "its hash is another one"))
    return findings


def _gaps(names: Sequence[str]) -> list[Finding]:
    """Where the log of a timeline is not contiguous."""
    findings: list[Finding] = []
    for before, name in pairwise(names):
        if before[:8] == name[:8] and wal.following(before, 1) != [name]:
            findings.append(Finding("log", wal.following(before, 1)[0], "it is missing"))
    return findings
