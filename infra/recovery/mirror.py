"""Copying buckets: only what is missing, read back, and never what was copied before."""

import asyncio
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from infra import hashing
from infra.storage import ObjectCorrupt, ObjectMissing, ObjectStore, Stored

AT_ONCE = 8
IN_MEMORY = 8 * 1024 * 1024
"""Larger objects go through a file."""


@dataclass(slots=True)
class Copied:
    """What a copy came to."""

    there: int = 0
    objects: int = 0
    bytes: int = 0
    removed: int = 0


async def copy(source: ObjectStore, target: ObjectStore, work: Path, *, below: str = "") -> Copied:
    """Copy what the target lacks; names get `below` in front. Objects are immutable, so a name is enough.

    One that vanishes meanwhile is left out: whoever removed it had a reason.

    Raises:
        ObjectCorrupt: a copy is not what was read.
    """
    known = {stored.key: stored.size for stored in await target.objects(below)}
    gate = asyncio.Semaphore(AT_ONCE)
    result = Copied()

    async def one(stored: Stored) -> None:
        if known.get(below + stored.key) == stored.size:
            result.there += 1
            return
        async with gate:
            if await _copy(source, target, stored, below, work):
                result.objects += 1
                result.bytes += stored.size

    await asyncio.gather(*(one(stored) for stored in await source.objects()))
    return result


async def prune(target: ObjectStore, below: str, kept: Collection[str], *, before: datetime) -> int:
    """Remove copies of what the source has no longer, once they are old enough; how many."""
    doomed = [
        stored.key
        for stored in await target.objects(below)
        if stored.modified < before and stored.key.removeprefix(below) not in kept
    ]
    for key in doomed:
        await target.delete(key)
    return len(doomed)


async def _copy(source: ObjectStore, target: ObjectStore, stored: Stored, below: str, work: Path) -> bool:
    try:
        if stored.size <= IN_MEMORY:
            await target.put(below + stored.key, await source.get(stored.key))
            return True
        with tempfile.NamedTemporaryFile(dir=work, prefix="copy-") as file:
            path = Path(file.name)
            read = await source.get_file(stored.key, path)
            if await target.put_file(below + stored.key, path) != read:
                raise ObjectCorrupt(f"{stored.key} was not copied as it was read")
    except ObjectMissing:
        return False
    return True


async def differences(source: ObjectStore, target: ObjectStore, keys: Collection[str], *, below: str = "") -> list[str]:
    """Those of the names whose copies are not byte for byte the same."""
    wrong: list[str] = []
    for key in keys:
        theirs, ours = await source.get(key), await target.get(below + key)
        if hashing.sha256_hex(theirs) != hashing.sha256_hex(ours):
            wrong.append(key)
    return wrong
