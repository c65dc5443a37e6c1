"""What a process counts, in the text format of Prometheus."""

import os
import resource
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Final

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, in seconds."""
_PAGE: Final = resource.getpagesize()


class Histogram:
    """How long something took, by one label."""

    def __init__(self, name: str, about: str, label: str = "") -> None:
        self._name = name
        self._about = about
        self._label = label
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, seconds: float, value: str = "") -> None:
        """It took so long, of the kind that the label's value names."""
        counts = self._counts.get(value)
        if counts is None:
            counts = self._counts[value] = [0] * (len(BUCKETS) + 1)
            self._sums[value] = 0.0
        counts[bisect_left(BUCKETS, seconds)] += 1
        self._sums[value] += seconds

    def lines(self) -> Iterator[str]:
        """The buckets, the sum, and the count, of each value."""
        yield f"# HELP {self._name} {self._about}"
        yield f"# TYPE {self._name} histogram"
        for value, counts in self._counts.items():
            own = f'{self._label}="{value}",' if self._label else ""
            total = 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                total += count
                yield f'{self._name}_bucket{{{own}le="{bound}"}} {total}'
            braces = f"{{{own[:-1]}}}" if own else ""
            yield f"{self._name}_sum{braces} {self._sums[value]:.6f}"
            yield f"{self._name}_count{braces} {total}"


def process(prefix: str) -> Iterator[str]:
    """What this process uses, as `<prefix>_process_…`."""
    for name, kind, value in (
        ("cpu_seconds_total", "counter", time.process_time()),
        ("resident_bytes", "gauge", int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE),
        ("open_files", "gauge", len(os.listdir("/proc/self/fd"))),
    ):
        yield f"# TYPE {prefix}_process_{name} {kind}"
        yield f"{prefix}_process_{name} {value:g}" if isinstance(value, float) else f"{prefix}_process_{name} {value}"
