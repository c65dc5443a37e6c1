"""What a benchmark found, as a table."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.table import Table

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "performance.md"

Row = Mapping[str, str | float | int]


@dataclass(slots=True)
class Report:
    """Rows with the same columns."""

    title: str
    rows: list[Row] = field(default_factory=list)

    def table(self) -> Table:
        """As a table for people."""
        columns = list(self.rows[0])
        table = Table(*columns, title=self.title)
        for row in self.rows:
            table.add_row(*(_text(row[column]) for column in columns))
        return table

    def markdown(self) -> str:
        """As a table of Markdown."""
        columns = list(self.rows[0])
        rows = [columns, ["---:"] * len(columns), *([_text(row[column]) for column in columns] for row in self.rows)]
        return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def section(page: Path, name: str, text: str) -> None:
    """Put a section into a page of the documentation, in the place of the one it had."""
    begin, end = f"<!-- {name}: written by `./doxie bench {name}` -->", f"<!-- end of {name} -->"
    known = page.read_text() if page.exists() else "# Performance\n"
    before, _, rest = known.partition(begin)
    after = rest.partition(end)[2] or "\n"
    page.write_text(f"{before.rstrip()}\n\n{begin}\n{text}{end}{after}")


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return {
        "p50 ms": round(statistics.median(ordered) * 1000, 2),
        "p99 ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 2),
    }


def _text(value: str | float | int) -> str:
    return f"{value:,}" if isinstance(value, int | float) else value
