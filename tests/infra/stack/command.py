"""Run the `doxie` command of this tree as a person would: as a process, in a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.stack import orphans
from infra.stack.process import REPOSITORY

STORES = "postgres,redis,s3"


def clean_environment() -> dict[str, str]:
    """Ours without what names a stack, and with ports that are free."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOXIE_", "PREFECT_"))}
    ports = {f"DOXIE_{name}_PORT": "0" for name in ("API", "COLLAB", "PREFECT")}
    return {**kept, **ports, "PYTHONPATH": str(REPOSITORY)}


@dataclass
class Doxie:
    """The command, bound to one home."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=clean_environment)
    python: str = sys.executable
    user: int | None = None
    """Whom root becomes to run it."""

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        return subprocess.run(
            self._command(*arguments),
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            **as_user(self.user),
        )

    def up(self, only: str = STORES, **variables: str) -> dict[str, Any]:
        """Start in the background; what `stack.json` says then."""
        done = self.run("up", "--detach", "--only", only, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.stack()

    def in_foreground(self, only: str) -> "subprocess.Popen[str]":
        """Start as a child; its output is a pipe."""
        command = self._command("up", "--only", only)
        return subprocess.Popen(
            command, env=dict(self.environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def stack(self) -> dict[str, Any]:
        """What `stack.json` says."""
        return dict(json.loads((self.home / "stack.json").read_text()))

    def processes(self) -> list[int]:
        """Every process of this home, other than the supervisor."""
        return list(orphans.find({orphans.HOME: str(self.home.resolve())}))

    def _command(self, *arguments: str) -> list[str]:
        return [self.python, "-m", "infra.stack", arguments[0], "--home", str(self.home), *arguments[1:]]


def as_user(user: int | None) -> dict[str, Any]:
    """What makes a subprocess another user's."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The line on stderr of a command that failed as it should."""
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("doxie: ")
    return lines[0]
