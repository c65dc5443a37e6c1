"""The sizing guide is what was measured, multiplied."""

import json
from pathlib import Path

import pytest

from tests.bench import sizing
from tests.bench.sizing import Costs, Habits


def test_ten_times_the_people_need_ten_times_as_much(tmp_path: Path) -> None:
    own = {
        "50×2 server µs/op": 30.0,
        "50×2 postgres µs/op": 60.0,
        "1000 sockets KB each": 20.0,
        "KB/open document": 50.0,
    }
    numbers = tmp_path / "collab.json"
    numbers.write_text(json.dumps({"measured": {"doxie": own}}))
    lines = sizing.section(Costs.read(numbers), Habits()).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[lines.index("") + 1 :]]
    assert len({len(row) for row in rows}) == 1
    assert rows[2][:4] == ["1,000", "100", "10", "40"]
    assert rows[3][:8] == ["100,000", "10,000", "1,000", "4,000", "0.2", "0.4", "< 0.1", "342 MB"]
    assert rows[4][:7] == ["10,000,000", "1,000,000", "100,000", "400,000", "20", "40", "< 0.1"]


def test_without_measurements_there_is_no_guide(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="bench collab"):
        Costs.read(tmp_path / "nothing.json")


def test_the_page_has_a_place_for_it() -> None:
    text = sizing.PAGE.read_text()
    assert text.count(sizing.BEGIN) == text.count(sizing.END) == 1
