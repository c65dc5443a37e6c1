"""What a benchmark found, as a table."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.table import Table

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


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return {
        "p50 ms": round(statistics.median(ordered) * 1000, 2),
        "p99 ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 2),
    }


def _text(value: str | float | int) -> str:
    return f"{value:,}" if isinstance(value, int | float) else value
