"""`stack.json`: which process serves what, for people, tests and `./doxie status`."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from infra.stack.files import write_private
from infra.stack.home import Home


@dataclass(frozen=True, slots=True)
class Entry:
    """One service. An external one has no process id; a URL may hold credentials."""

    pid: int | None
    port: int | None
    url: str | None
    state: str = "starting"
    restarts: int = 0


class State:
    """The entries of all services, written whole at every change."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._entries: dict[str, Entry] = {}

    def get(self, service: str) -> Entry:
        """What is known about a service."""
        return self._entries[service]

    def put(self, service: str, entry: Entry) -> None:
        """Set everything about a service."""
        self._entries[service] = entry
        self._write()

    def change(self, service: str, **fields: Any) -> None:
        """Set some fields of a service."""
        self.put(service, replace(self._entries[service], **fields))

    def remove(self) -> None:
        """Say that nothing runs any more."""
        self._home.state.unlink(missing_ok=True)

    def _write(self) -> None:
        entries = {service: asdict(entry) for service, entry in self._entries.items()}
        write_private(self._home.state, json.dumps(entries, indent=2) + "\n")


def read(home: Home) -> dict[str, Entry]:
    """The entries that the running (or killed) supervisor wrote; empty where there are none."""
    try:
        entries = json.loads(home.state.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {service: Entry(**entry) for service, entry in entries.items()}
