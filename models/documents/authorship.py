"""Who wrote which part of a document: from the journal's authors to stretches of text. Pure; for the deep stack.

An author is whoever first brought a clock of a client into the journal, so nobody can put words into another's mouth
by using their client id.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from pycrdt import Text, XmlFragment

from models.content.roots import ROOT, is_plain
from models.documents import crdt
from models.documents.structs import structs
from models.lib0 import varuint

Author = UUID | None
Path = tuple[str | int, ...]
"""The root's name, then the indexes of children."""
Spans = list[tuple[int, int, Author]]
"""Start and stop in bytes of UTF-8, as the library counts, and whose that is; in order, without gaps."""


class Stretch(NamedTuple):
    """Clocks start to stop - 1 of a client."""

    start: int
    stop: int
    author: Author


Ledger = dict[int, list[Stretch]]
"""By client, in order."""


def written_by(journal: Iterable[tuple[bytes, Author]]) -> Ledger:
    """Who wrote each clock, from updates and who sent them, in order."""
    ledger: Ledger = {}
    for payload, author in journal:
        for client, clock, length, _ in structs(payload):
            _note(ledger.setdefault(client, []), clock, clock + length, author)
    return ledger


def _note(known: list[Stretch], start: int, stop: int, author: Author) -> None:
    """Add what is not known yet of a stretch; nearly always it continues the last one."""
    if known and known[-1].stop == start and known[-1].author == author:
        known[-1] = Stretch(known[-1].start, stop, author)
        return
    place = max(0, bisect_right(known, start, key=lambda stretch: stretch.start) - 1)
    free = []
    for stretch in known[place:]:
        if stretch.start >= stop:
            break
        free += [Stretch(start, stretch.start, author)] if start < stretch.start else []
        start = max(start, stretch.stop)
    free += [Stretch(start, stop, author)] if start < stop else []
    for new in free:
        insort(known, new, key=lambda stretch: stretch.start)


def spans(state: bytes, ledger: Ledger) -> dict[Path, Spans]:
    """Whose each stretch of each text is, in a document given as one update.

    Found by deleting what each author wrote from a copy of the document, and looking where something went.
    """
    texts = [struct for struct in structs(state) if struct.is_text]
    owned: dict[Author, dict[int, list[tuple[int, int]]]] = {}
    for client, clock, length, _ in texts:
        for start, stop, author in _within(ledger.get(client, []), clock, clock + length):
            owned.setdefault(author, {}).setdefault(client, []).append((start, stop - start))
    found: dict[Path, Spans] = {}
    for author, ranges in owned.items():
        for path, start, stop in _holes(state, _deletion(ranges)):
            found.setdefault(path, []).append((start, stop, author))
    return {path: sorted(stretches, key=lambda span: span[:2]) for path, stretches in found.items()}


def _within(known: list[Stretch], start: int, stop: int) -> Iterable[Stretch]:
    place = max(0, bisect_right(known, start, key=lambda stretch: stretch.start) - 1)
    for stretch in known[place:]:
        if stretch.start >= stop:
            break
        if stretch.stop > start:
            yield Stretch(max(start, stretch.start), min(stop, stretch.stop), stretch.author)


def _deletion(ranges: dict[int, list[tuple[int, int]]]) -> bytes:
    """An update that deletes these clocks and does nothing else."""
    parts = [varuint(0), varuint(len(ranges))]
    for client, stretches in ranges.items():
        parts += [varuint(client), varuint(len(stretches))]
        parts += [varuint(clock) + varuint(length) for clock, length in stretches]
    return b"".join(parts)


def _holes(state: bytes, deletion: bytes) -> list[tuple[Path, int, int]]:
    """Where texts lose something by a deletion, in positions of before."""
    doc = crdt.build([state])
    holes: list[tuple[Path, int, int]] = []

    def listener(name: str) -> Callable[[list[Any]], None]:
        def hear(events: list[Any]) -> None:
            for event in events:
                holes.extend(((name, *event.path), *hole) for hole in _deleted(event.delta))

        return hear

    listening: list[tuple[Any, Any]] = []
    for name in sorted(doc.keys()):
        is_rich = name == ROOT and not is_plain(doc)
        root: Any = doc.get(name, type=XmlFragment if is_rich else Text)
        listening.append((root, root.observe_deep(listener(name))))
    doc.apply_update(deletion)
    for root, subscription in listening:
        root.unobserve(subscription)
    return holes


def _deleted(delta: Sequence[dict[str, Any]]) -> Iterator[tuple[int, int]]:
    position = 0
    for step in delta:
        size = step.get("retain", 0) + step.get("delete", 0)
        if "delete" in step:
            yield position, position + size
        position += size
