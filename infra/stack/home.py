"""DOXIE_HOME: where a stack keeps its data, its secrets, its logs and what it says about itself."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from infra.stack.errors import StackError
from infra.stack.files import PRIVATE_DIR

NEEDED_BYTES = 256 * 1024 * 1024
"""Less free space than this and the first start would fail half-way."""


def default_path() -> Path:
    """`DOXIE_HOME`, by default `.doxie` in the working directory."""
    return Path(os.environ.get("DOXIE_HOME") or ".doxie")


@dataclass(frozen=True, slots=True)
class Home:
    """The names of everything in a DOXIE_HOME."""

    root: Path

    @property
    def secrets(self) -> Path:
        """Generated once: passwords and keys."""
        return self.root / "secrets.env"

    @property
    def environment(self) -> Path:
        """Written at every start: the resolved URLs, as variables."""
        return self.root / "stack.env"

    @property
    def state(self) -> Path:
        """Written at every change: process ids, ports and URLs."""
        return self.root / "stack.json"

    @property
    def ports(self) -> Path:
        """The ports chosen so far, for reuse."""
        return self.root / "ports.json"

    @property
    def lock(self) -> Path:
        """Locked by the running supervisor; holds its process id."""
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        """One log for each service."""
        return self.root / "logs"

    def log(self, name: str) -> Path:
        """The log of one service."""
        return self.logs / f"{name}.log"

    def data(self, name: str) -> Path:
        """The data directory of one service."""
        return self.root / name


def at(path: Path | None) -> Home:
    """The home at a path, which need not exist."""
    return Home((path or default_path()).expanduser().resolve())


def create(path: Path | None) -> Home:
    """The home at a path, made where it is missing.

    Raises:
        StackError: it cannot be written to, or its disk is full.
    """
    home = at(path)
    try:
        for directory in (home.root, home.logs):
            directory.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        home.lock.touch(mode=0o600)
    except OSError as error:
        raise StackError(f"cannot write to {home.root}: {error.strerror}") from error
    free = shutil.disk_usage(home.root).free
    if free < NEEDED_BYTES:
        raise StackError(f"the disk of {home.root} is full: {free >> 20} MiB free, {NEEDED_BYTES >> 20} MiB needed")
    return home
