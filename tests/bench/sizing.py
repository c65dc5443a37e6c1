"""`./doxie bench sizing`: how large a deployment has to be, from what was measured; a section of docs/deployment.md."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.collab.page import NUMBERS
from tests.bench.report import DOCS

PAGE: Final = DOCS / "deployment.md"
BEGIN, END = "<!-- sizing: written by `./doxie bench sizing` -->", "<!-- end of sizing -->"
USERS: Final = (1_000, 100_000, 10_000_000)

JOURNAL_BYTES: Final = 8_196_297 / 259_778
ARCHIVE_BYTES: Final = 764_634 / 259_778
"""Of a keystroke: `./doxie bench storage`, docs/performance.md."""


_COLUMNS: Final = (
    "users",
    "online",
    "typing",
    "keystrokes/s",
    "collab cores",
    "Postgres cores",
    "Valkey cores",
    "sockets and documents",
    "journal a day",
    "archive a year",
)


@dataclass(frozen=True, slots=True)
class Habits:
    """What people do: guesses, which every deployment should replace by its own numbers."""

    online: float = 0.1
    """The share of users with a document open in the busiest hour."""
    typing: float = 0.1
    """The share of those who are typing at a moment."""
    keystrokes: float = 4.0
    """A second, of who types."""
    a_day: int = 4_000
    """Keystrokes that a user makes on a working day, on average over all."""
    together: float = 2.0
    """People with the same document open."""
    busy: float = 0.6
    """So much of a core is used at most."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor microseconds of a keystroke, and kilobytes."""

    server: float
    postgres: float
    redis: float
    socket: float
    document: float

    @classmethod
    def read(cls, path: Path = NUMBERS) -> "Costs":
        """What `./doxie bench collab` has measured.

        Raises:
            SystemExit: it has not.
        """
        if not path.exists():
            raise SystemExit(f"{path} is not there: run `./doxie bench collab` first")
        own: Mapping[str, float] = json.loads(path.read_text())["measured"]["doxie"]
        return cls(
            server=own["50×2 server µs/op"],
            postgres=own.get("50×2 postgres µs/op", 0.0),
            redis=own.get("50×2 redis µs/op", 0.0),
            socket=own["1000 sockets KB each"],
            document=own["KB/open document"],
        )


def section(costs: Costs, habits: Habits) -> str:
    """The table, with what it is made of."""
    lines = [
        f"Of {habits.online:.0%} who have a document open in the busiest hour {habits.typing:.0%} type, ",
        f"{habits.keystrokes:g} keystrokes a second each; {habits.together:g} have the same document open; ",
        f"a user makes {habits.a_day:,} keystrokes on one of 250 working days; a core is used to {habits.busy:.0%}. ",
        f"Those are guesses. Measured are {costs.server:.1f} µs of collab, {costs.postgres:.1f} of Postgres and ",
        f"{costs.redis:.1f} of Valkey a keystroke, {costs.socket:.0f} KB a socket, {costs.document:.0f} KB an open ",
        f"document with a socket, {JOURNAL_BYTES:.0f} bytes a keystroke in the journal and {ARCHIVE_BYTES:.1f} in the ",
        "archive.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|" + "---:|" * len(_COLUMNS),
    ]
    rows = (_row(users, costs, habits) for users in USERS)
    return "\n".join([*(line.rstrip() for line in lines), *rows, ""])


def publish(costs: Costs, habits: Habits) -> Path:
    """Write the section into its page."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{section(costs, habits)}{END}{rest.partition(END)[2]}")
    return PAGE


def _row(users: int, costs: Costs, habits: Habits) -> str:
    online = users * habits.online
    strokes = online * habits.typing * habits.keystrokes
    documents = online / habits.together
    memory = documents * costs.document + (online - documents) * costs.socket
    daily = users * habits.a_day
    cells = [
        f"{users:,}",
        f"{online:,.0f}",
        f"{online * habits.typing:,.0f}",
        f"{strokes:,.0f}",
        *(_cores(strokes * cost / 1e6 / habits.busy) for cost in (costs.server, costs.postgres, costs.redis)),
        _bytes(memory * 1024),
        _bytes(daily * JOURNAL_BYTES),
        _bytes(daily * 250 * ARCHIVE_BYTES),
    ]
    return f"| {' | '.join(cells)} |"


def _cores(cores: float) -> str:
    return "< 0.1" if cores < 0.1 else f"{cores:,.1f}" if cores < 10 else f"{cores:,.0f}"


def _bytes(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:,.1f} TB"


def main() -> None:
    """Read, compute, write."""
    print(f"written: {publish(Costs.read(), Habits())}")
