"""The unix sockets SeaweedFS leaves behind: it puts them into /tmp, whatever TMPDIR says."""

import os
from collections.abc import Iterator
from pathlib import Path

_DIRECTORY = Path("/tmp")  # noqa: S108 - its choice


def forget(port: int) -> None:
    """Remove what a killed process left behind for this port."""
    for path in _left(port):
        path.unlink(missing_ok=True)


def removable(port: int) -> bool:
    """Whether nobody else's socket stands in the way of this port: a sticky directory would keep it there."""
    user = os.geteuid()
    return user == 0 or all(path.lstat().st_uid == user for path in _left(port))


def _left(port: int) -> Iterator[Path]:
    return _DIRECTORY.glob(f"seaweedfs-*-{port}.sock")
