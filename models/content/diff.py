"""The differences of two sequences (Myers' greedy algorithm), at a bounded cost."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

LIMIT = 500  # insertions and deletions searched for; the cost grows with its square
LINES = re.compile(r"[^\n]*\n|[^\n]+")
WORDS = re.compile(r"[a-zA-Z0-9]+|[\s\S]")


class Change(NamedTuple):
    """a[start:stop] becomes b[new_start:new_stop]; everything between changes is equal."""

    start: int
    stop: int
    new_start: int
    new_stop: int


def changes(a: Sequence[Hashable], b: Sequence[Hashable], limit: int = LIMIT) -> list[Change]:
    """The changes in order.

    Where it takes more than `limit` insertions and deletions, only what is there once in both is held on to, and
    what is between that is searched less; with a `limit` of 0 it is a single change.
    """
    head = common_prefix(a, b)
    tail = common_prefix(a[head:][::-1], b[head:][::-1])
    middle_a, middle_b = a[head : len(a) - tail], b[head : len(b) - tail]
    if not middle_a and not middle_b:
        return []
    found = _myers(middle_a, middle_b, limit) if middle_a and middle_b else None
    if found is None and limit and middle_a and middle_b:
        found = list(_between(middle_a, middle_b, _anchors(middle_a, middle_b), limit))
    found = found or [Change(0, len(middle_a), 0, len(middle_b))]
    return [Change(*(position + head for position in change)) for change in found]


def _anchors(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Places of what is once in each, as many as are in the same order in both."""
    once_a, once_b = Counter(a), Counter(b)
    places = {item: y for y, item in enumerate(b) if once_b[item] == 1}
    shared = [(x, places[item]) for x, item in enumerate(a) if once_a[item] == 1 and item in places]
    ends: list[int] = []  # the smallest y that a run of each length ends with
    runs: list[tuple[int, int, int | None]] = []  # x, y, and which comes before
    last: list[int] = []
    for x, y in shared:
        length = bisect_left(ends, y)
        runs.append((x, y, last[length - 1] if length else None))
        ends[length : length + 1] = [y]
        last[length : length + 1] = [len(runs) - 1]
    kept: list[tuple[int, int]] = []
    at = last[-1] if last else None
    while at is not None:
        x, y, at = runs[at]
        kept.append((x, y))
    return kept[::-1]


def _between(
    a: Sequence[Hashable], b: Sequence[Hashable], anchors: list[tuple[int, int]], limit: int
) -> Iterator[Change]:
    if not anchors:
        return
    start, new_start = 0, 0
    for stop, new_stop in [*anchors, (len(a), len(b))]:
        part, new_part = a[start:stop], b[new_start:new_stop]
        found = _myers(part, new_part, limit // len(anchors)) if part and new_part else None
        if found is None and (part or new_part):
            found = [Change(0, len(part), 0, len(new_part))]
        for change in found or []:
            yield Change(change[0] + start, change[1] + start, change[2] + new_start, change[3] + new_start)
        start, new_start = stop + 1, new_stop + 1


def common_prefix(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """The length of the common prefix, by bisection: comparing slices is what Python does fast."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _myers(a: Sequence[Hashable], b: Sequence[Hashable], limit: int) -> list[Change] | None:
    furthest = {1: 0}  # diagonal (x - y) -> the furthest x reached on it
    trace = []
    for distance in range(min(limit, len(a) + len(b)) + 1):
        trace.append(furthest)
        reached = {}
        for diagonal in range(-distance, distance + 1, 2):
            x, _ = _step(furthest, diagonal)
            while x < len(a) and x - diagonal < len(b) and a[x] == b[x - diagonal]:
                x += 1
            reached[diagonal] = x
            if x >= len(a) and x - diagonal >= len(b):
                return _walk_back(trace, len(a), len(b))
        furthest = reached
    return None


def _step(furthest: dict[int, int], diagonal: int) -> tuple[int, bool]:
    """The x from which `diagonal` is entered, and whether by an insertion (else by a deletion)."""
    inserting, deleting = furthest.get(diagonal + 1, -1), furthest.get(diagonal - 1, -1) + 1
    return (inserting, True) if inserting >= deleting else (deleting, False)


def _walk_back(trace: list[dict[int, int]], x: int, y: int) -> list[Change]:
    """The steps of the path that ends at (x, y), neighbouring ones joined."""
    found: list[Change] = []
    for furthest in trace[:0:-1]:
        after, inserted = _step(furthest, x - y)
        step = Change(after - (not inserted), after, after - (x - y) - inserted, after - (x - y))
        if found and (step.stop, step.new_stop) == (found[-1].start, found[-1].new_start):
            found[-1] = Change(step.start, found[-1].stop, step.new_start, found[-1].new_stop)
        else:
            found.append(step)
        x, y = step.start, step.new_start
    return found[::-1]


def text_changes(old: str, new: str) -> Iterator[Change]:
    """The changes of a text: changed lines, in them changed words, of these the middle (in code points)."""
    return _refine(old, new, (LINES, WORDS))


def _refine(old: str, new: str, levels: Sequence[re.Pattern[str]]) -> Iterator[Change]:
    if not levels:
        yield from changes(old, new, 0)
        return
    a, b = levels[0].findall(old), levels[0].findall(new)
    starts_a, starts_b = ([0, *accumulate(map(len, parts))] for parts in (a, b))
    for change in changes(a, b):
        start, new_start = starts_a[change.start], starts_b[change.new_start]
        changed_old, changed_new = (
            old[start : starts_a[change.stop]],
            new[new_start : starts_b[change.new_stop]],
        )
        for inner in _refine(changed_old, changed_new, levels[1:]):
            yield Change(inner[0] + start, inner[1] + start, inner[2] + new_start, inner[3] + new_start)
