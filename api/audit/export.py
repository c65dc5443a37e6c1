"""The audit log as text, a page at a time."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Final

from api.audit.schemas import AuditEventRead

ROWS_AT_ONCE: Final = 500
COLUMNS: Final = tuple(AuditEventRead.model_fields)
MEDIA_TYPES: Final = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}

Pages = AsyncIterator[list[AuditEventRead]]


async def jsonl(pages: Pages) -> AsyncIterator[str]:
    """One JSON object a line."""
    async for events in pages:
        yield "".join(event.model_dump_json() + "\n" for event in events)


async def as_csv(pages: Pages) -> AsyncIterator[str]:
    """A line of names, then a line for each act."""
    yield _line(list(COLUMNS))
    async for events in pages:
        yield "".join(_line(_cells(event)) for event in events)


WRITERS: Final[dict[str, Callable[[Pages], AsyncIterator[str]]]] = {"jsonl": jsonl, "csv": as_csv}


def _cells(event: AuditEventRead) -> list[str]:
    row = event.model_dump(mode="json")
    row["details"] = json.dumps(row["details"], ensure_ascii=False, sort_keys=True)
    return [_harmless("" if row[name] is None else str(row[name])) for name in COLUMNS]


def _harmless(cell: str) -> str:
    """A spreadsheet takes these for the beginning of a formula, and a user agent is whatever somebody sent."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def _line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
