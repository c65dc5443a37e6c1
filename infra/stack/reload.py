"""Notice changed code, for `up --reload`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from infra.stack.process import REPOSITORY

PACKAGES = ("api", "collab", "flows", "infra", "models")
INTERVAL_SECONDS = 0.5


async def watch(changed: Callable[[Sequence[str]], Awaitable[None]]) -> None:
    """Call `changed` with the names of the files each time some were written, added or removed."""
    before = await asyncio.to_thread(_snapshot)
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        now = await asyncio.to_thread(_snapshot)
        different = sorted({path for path, _ in before.items() ^ now.items()})
        before = now
        if different:
            await changed([str(path.relative_to(REPOSITORY)) for path in different])


def _snapshot() -> dict[Path, int]:
    return dict(_modified(path) for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))


def _modified(path: Path) -> tuple[Path, int]:
    try:
        return path, path.stat().st_mtime_ns
    except FileNotFoundError:  # removed between the listing and the look
        return path, 0
