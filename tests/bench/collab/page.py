"""What was found, for people: the table, the chart, and their section of docs/performance.md."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.bench.bars import Panel, draw, readable
from tests.bench.report import DOCS, PAGE, Report, section

OWN: Final = "doxie"
NUMBERS: Final = DOCS / "performance" / "collab.json"
PICTURE: Final = DOCS / "pictures" / "collab.svg"
_ABOUT: Final = """\
`./doxie bench collab` starts each server in a process of its own, drives all of them with the same client, takes turns
between them and keeps the medians. Doxie is compiled, as in its image (docs/adr/0017). It journals every edit in
Postgres and acknowledges it after the commit; Hocuspocus stores a document some seconds after its last edit (in
SQLite); y-websocket hands each update to LevelDB. In the closed loops everybody types on as soon as all others have the
last keystroke, and the clock stops when everything is saved, where the server says so. µs/op is the processor time of a
keystroke, of the server and of its stores. A crowd is spread over 50 documents and comes back 200 sockets at a time;
all sockets of a document show the same signed token, of which Doxie asks Postgres once a second whether it still holds:
5 000 different people would cost more. The others ask nobody."""

Measured = Mapping[str, Mapping[str, float]]
_Panel = tuple[str, str, Callable[[Mapping[str, float]], float | None]]


def _measure(name: str) -> Callable[[Mapping[str, float]], float | None]:
    return lambda numbers: numbers.get(name)


def _per_core(name: str) -> Callable[[Mapping[str, float]], float | None]:
    return lambda numbers: 1e6 / numbers[name] if numbers.get(name) else None


_PANELS: Final[list[_Panel]] = [
    ("Keystrokes per second and core", "50 × 2, more is better", _per_core("50×2 server µs/op")),
    ("Keystrokes per second and core", "20 × 4, more is better", _per_core("20×4 server µs/op")),
    ("Fan-out to 10, p99", "ms, less is better", _measure("1→10 p99 ms")),
    ("Fan-out to 100, p99", "ms, less is better", _measure("1→100 p99 ms")),
    ("Opening the trace, cold", "ms, less is better", _measure("open cold ms")),
    ("Opening the trace, warm", "ms, less is better", _measure("open warm ms")),
    ("Memory of an idle socket", "KB, of 1 000, less is better", _measure("1000 sockets KB each")),
    ("1 000 sockets come back", "s, less is better", _measure("1000 sockets storm s")),
    ("5 000 sockets come back", "s, less is better", _measure("5000 sockets storm s")),
    ("Documents opened one after another", "a second, more is better", _measure("documents opened/s")),
    ("Memory of an open document", "KB, with its socket, less is better", _measure("KB/open document")),
    ("Acknowledged and gone", "edits, after kill -9", _measure("kill -9 acknowledged and gone")),
]


def report(measured: Measured) -> Report:
    """A row for each measure, a column for each server."""
    found = Report("WebSocket servers for Yjs")
    for name in _names(measured):
        found.rows.append({"": name, **{server: _cell(numbers, name) for server, numbers in measured.items()}})
    return found


def publish(measured: Measured, about: Mapping[str, Any]) -> list[Path]:
    """Write numbers, picture and section; the files."""
    for path in (NUMBERS, PICTURE):
        path.parent.mkdir(parents=True, exist_ok=True)
    NUMBERS.write_text(json.dumps({"about": about, "measured": measured}, indent=1, ensure_ascii=False) + "\n")
    PICTURE.write_text(draw(_panels(measured), [OWN]))
    section(PAGE, "collab", _section(measured, about))
    return [NUMBERS, PICTURE, PAGE]


def _section(measured: Measured, about: Mapping[str, Any]) -> str:
    servers = list(measured)
    lines = [
        "## The WebSocket door beside other Yjs servers",
        "",
        f"![Bar charts of the table below](pictures/{PICTURE.name})",
        "",
        _ABOUT,
        "",
        "| | " + " | ".join(servers) + " |",
        "|---|" + "---:|" * len(servers),
    ]
    for name in _names(measured):
        cells = [_cell(measured[server], name) for server in servers]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    where = ", ".join(f"{key}: {value}" for key, value in about.items())
    return "\n".join([*lines, "", f"Measured on one machine, server and driver together ({where}).", ""])


def _panels(measured: Measured) -> list[Panel]:
    panels = []
    for title, note, read in _PANELS:
        numbers = {server: read(found) for server, found in measured.items()}
        panels.append(Panel(title, note, {name: value for name, value in numbers.items() if value is not None}))
    return panels


def _names(measured: Measured) -> list[str]:
    return list(dict.fromkeys(name for numbers in measured.values() for name in numbers))


def _cell(numbers: Mapping[str, float], name: str) -> str:
    return readable(numbers[name]) if name in numbers else "–"
