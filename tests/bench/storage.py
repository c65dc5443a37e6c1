"""Bytes stored for a real session of 259 778 keystrokes, with a revision each 1 000, against other ways to keep it.

Nothing runs but our own code: the updates are those an editor sends, folded, encoded and compressed as the pipeline
and archiving do it.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import zstandard
from pycrdt import Doc, Text

from flows.demo import trace
from flows.demo.player import ROOT, Typist
from infra import compression
from models.archive.service import LEVEL
from models.archive.thinning import APART
from models.documents import crdt
from models.documents.rows import link
from models.documents.segments import Row, Segment, encode
from models.documents.tables import GENESIS
from tests.bench import bars
from tests.bench.report import DOCS, PAGE, Report, section

EVERY = 1_000
"""Keystrokes in a revision."""
START = datetime(2026, 1, 1, tzinfo=UTC)
PER_SECOND = 8
ACTOR = UUID(int=1)
DICTIONARY = 16 * 1024
SMALL = (50, 100, 200, 400, 800)
"""Keystrokes of small documents."""
SIZES: Final = (20_000, 80_000, 259_778)
"""Keystrokes of the session; the last is all of them."""
JOURNAL: Final = "journal: the updates as they came"
STAYS: Final = "archived journal and the snapshots that stay"
JSON: Final = "full JSON for each revision"
GROWING: Final = (JOURNAL, STAYS, JSON)
PICTURE: Final = DOCS / "pictures" / "storage.svg"


def measure(keystrokes: int) -> Report:
    """Of the session's first keystrokes."""
    session = trace.load(keystrokes)
    strokes = session.keystrokes
    snapshots, updates = _typed(strokes)
    raw = json.dumps(list(strokes), separators=(",", ":"), ensure_ascii=False).encode()
    texts = session.texts_after(range(EVERY, len(strokes) + 1, EVERY))
    whole = [_prosemirror(text) for text in texts.values()]
    frames = [compression.compress(snapshot) for snapshot in snapshots]
    kept = [*frames[APART // EVERY - 1 :: APART // EVERY], frames[-1]]
    segment = encode(_segment(updates))
    archived = compression.compress(segment, LEVEL)
    least = zstandard.ZstdCompressor(level=19).compress(raw)

    report = Report(f"{len(strokes):,} keystrokes, {len(snapshots)} revisions")
    journal = sum(map(len, updates))
    report.rows = [
        _row("zstd -19 of the raw keystrokes: no history of who and when, nothing opens", len(least), least),
        _row(JOURNAL, journal, least),
        _row("archived journal: who, when, every seq", len(archived), least),
        _row("snapshots of all revisions, zstd", sum(map(len, frames)), least),
        _row("archived journal and snapshots of all revisions", len(archived) + sum(map(len, frames)), least),
        _row(STAYS, len(archived) + sum(map(len, kept)), least),
        _row(JSON, sum(map(len, whole)), least),
        _row("full JSON for each revision, zstd -9 each", sum(len(compression.compress(one)) for one in whole), least),
        _row("if each snapshot were compressed against the one before", _chained(snapshots), least),
        *_dictionary(strokes, least),
    ]
    return report


def _row(name: str, size: int, least: bytes) -> dict[str, str | float | int]:
    return {"": name, "bytes": size, "× zstd -19": round(size / len(least), 2)}


def _typed(strokes: Sequence[trace.Keystroke]) -> tuple[list[bytes], list[bytes]]:
    """The snapshot of each revision, and the update of each keystroke."""
    typist = Typist()
    snapshots, updates = [], []
    for count, stroke in enumerate(strokes, start=1):
        updates.append(typist.type([stroke]))
        if count % EVERY == 0:
            snapshots.append(crdt.encode(typist.doc, []))
    return snapshots, updates


def _segment(updates: Sequence[bytes]) -> Segment:
    chain, rows = GENESIS, []
    for seq, update in enumerate(updates, start=1):
        chain = link(chain, update)
        at = START + timedelta(seconds=seq / PER_SECOND)
        rows.append(Row(seq, update, chain, ACTOR, ACTOR, "socket", at))
    return Segment(UUID(int=2), UUID(int=3), GENESIS, rows)


def _prosemirror(text: str) -> bytes:
    """As others keep each revision: a document of paragraphs."""
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}]} if line else {"type": "paragraph"}
        for line in text.split("\n")
    ]
    return json.dumps({"type": "doc", "content": paragraphs}, ensure_ascii=False).encode()


def _chained(snapshots: Sequence[bytes]) -> int:
    size, before = 0, b""
    for snapshot in snapshots:
        given = zstandard.ZstdCompressionDict(before, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if before else None
        size += len(zstandard.ZstdCompressor(level=9, dict_data=given).compress(snapshot))
        before = snapshot
    return size


def _dictionary(strokes: Sequence[trace.Keystroke], least: bytes) -> list[dict[str, str | float | int]]:
    """Whether a trained dictionary pays for small documents: trained on half of them, tried on the others."""
    text = "".join(inserted for _, _, inserted in strokes)
    samples: list[bytes] = []
    for start in range(0, len(text) - max(SMALL), max(SMALL)):
        doc: Doc[Any] = Doc()
        content = doc.get(ROOT, type=Text)
        for character in text[start : start + SMALL[(start // max(SMALL)) % len(SMALL)]]:
            content += character
        samples.append(doc.get_update())
    half = len(samples) // 2
    dictionary = zstandard.train_dictionary(DICTIONARY, list[Any](samples[:half]))
    without = sum(len(compression.compress(sample)) for sample in samples[half:])
    compressor = zstandard.ZstdCompressor(level=compression.LEVEL, write_checksum=True, dict_data=dictionary)
    with_it = sum(len(compressor.compress(sample)) for sample in samples[half:])
    count, raw = len(samples) - half, sum(map(len, samples[half:]))
    return [
        _row(f"{count} small documents, raw", raw, least),
        _row(f"{count} small documents, zstd", without, least),
        _row(f"{count} small documents, zstd with a dictionary of {DICTIONARY // 1024} KiB", with_it, least),
    ]


async def run(quick: bool) -> Report:
    """As `./doxie bench` calls it; published, unless it is quick: then it is only of the first keystrokes."""
    if quick:
        return measure(SIZES[0])
    reports = [measure(size) for size in SIZES]
    growth = _growth(reports)
    PICTURE.write_text(_picture(growth))
    section(PAGE, "storage", _section(reports[-1], growth))
    return reports[-1]


def _growth(reports: Sequence[Report]) -> Report:
    """Bytes for each keystroke, as a session becomes longer."""
    growth = Report("Bytes a keystroke as a session grows")
    for keystrokes, report in zip(SIZES, reports, strict=True):
        sizes = {str(row[""]): float(row["bytes"]) for row in report.rows}
        growth.rows.append({"keystrokes": keystrokes, **{kept: round(sizes[kept] / keystrokes, 1) for kept in GROWING}})
    return growth


def _picture(growth: Report) -> str:
    panels = [
        bars.Panel(
            kept[0].upper() + kept.partition(":")[0][1:],
            "bytes a keystroke",
            {f"{row['keystrokes']:,}": float(row[kept]) for row in growth.rows},
        )
        for kept in GROWING
    ]
    return bars.draw(panels, [f"{row['keystrokes']:,}" for row in growth.rows])


def _section(report: Report, growth: Report) -> str:
    return f"""\
## What a history takes

![Bar charts of the second table below](pictures/{PICTURE.name})

`./doxie bench storage`: a recorded session of {SIZES[-1]:,} keystrokes with a revision for each {EVERY:,}, kept in
several ways; then how that grows with the session.

{report.markdown()}
{growth.markdown()}
A dictionary for zstd makes small documents smaller by less than what the store needs to know that there is an object,
and would have to be kept for as long as anything made with it: it does not pay.
"""
