"""The recorded session (see README.md beside this file): every keystroke of a paper."""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parent / "automerge-paper.json.gz"

Keystroke = tuple[int, int, str]
"""Position, characters deleted there, characters inserted there. The text is ASCII."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Keystrokes that turn an empty text into `end`."""

    keystrokes: Sequence[Keystroke]
    end: str

    def batches(self, seed: int = 1, largest: int = 40) -> Iterator[Sequence[Keystroke]]:
        """The keystrokes in bursts of 1 to `largest`, as a browser sends them; the same for a seed."""
        sizes = random.Random(seed)  # noqa: S311 (a replay, not a secret)
        start = 0
        while start < len(self.keystrokes):
            size = sizes.randint(1, largest)
            yield self.keystrokes[start : start + size]
            start += size

    def texts_after(self, counts: Sequence[int]) -> dict[int, str]:
        """The text after so many keystrokes, for each count."""
        wanted, texts, text = set(counts), {}, ""
        for done, (position, deleted, inserted) in enumerate(self.keystrokes, 1):
            text = text[:position] + inserted + text[position + deleted :]
            if done in wanted:
                texts[done] = text
        return texts


def load(limit: int | None = None) -> Trace:
    """The session, or its first `limit` keystrokes."""
    data = json.loads(gzip.decompress(_FILE.read_bytes()))
    keystrokes = [tuple(patch) for transaction in data["txns"] for patch in transaction["patches"]]
    if limit is None or limit >= len(keystrokes):
        return Trace(keystrokes, data["endContent"])
    part = Trace(keystrokes[:limit], "")
    return Trace(part.keystrokes, part.texts_after([limit])[limit])
