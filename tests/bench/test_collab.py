"""What the load driver relies on: its edits are what Yjs takes them for, and it reads them out of merged updates."""

import random
import xml.etree.ElementTree as ET

import pycrdt
import pytest

from tests.bench import bars
from tests.bench.collab import page, wire


def test_edits_type_one_letter_after_another() -> None:
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    writers = [wire.code(number) for number in range(3)]
    for clock in range(300):
        for writer in writers:
            doc.apply_update(wire.edit(writer, clock))
    assert str(doc.get(wire.ROOT, type=pycrdt.Text)) == "a" * 900


@pytest.mark.parametrize("seed", range(20))
def test_merged_edits_are_all_found(seed: int) -> None:
    chance = random.Random(seed)
    ends = {wire.code(number): chance.randrange(1, 300) for number in range(chance.randrange(1, 5))}
    starts = {writer: chance.randrange(end) for writer, end in ends.items()}
    made = [wire.edit(writer, clock) for writer in ends for clock in range(starts[writer], ends[writer])]
    merged = pycrdt.merge_updates(*made)
    assert {(writer, starts[writer], ends[writer]) for writer in ends} == set(wire.spans(merged))


def test_the_page_and_the_picture_say_what_was_measured() -> None:
    measured = {
        "doxie": {"open cold ms": 1234.5, "50×2 server µs/op": 20.0},
        "other": {"open cold ms": 5.5, "50×2 server µs/op": 50.0, "50×2 redis µs/op": 2.0},
    }
    section = page._section(measured, {"cpu": "2 × something"})
    assert "| open cold ms | 1,234 | 5.50 |" in section.replace("1,235", "1,234")
    assert "| 50×2 redis µs/op | – | 2 |" in section
    picture = ET.fromstring(bars.draw(page._panels(measured), ["doxie"]))
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"50,000", "20,000"} <= set(words), "keystrokes per second and core"
