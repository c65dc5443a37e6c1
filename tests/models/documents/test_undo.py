"""Taking edits back: everybody's, or one person's."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Doc, Map, Text

from models.documents import crdt, updates

Stroke = tuple[int, int, str]


class Writer:
    """Somebody with a copy of the document."""

    def __init__(self) -> None:
        self.doc: Doc[Any] = Doc()
        self.text = self.doc.get("text", type=Text)

    def stroke(self, place: int, erase: int, words: str) -> bytes:
        """Write over what is there."""
        before = self.doc.get_state()
        start = place % (len(self.text) + 1)
        with self.doc.transaction():
            del self.text[start : min(start + erase, len(self.text))]
            self.text.insert(start, words)
        return self.doc.get_update(before)


def text_of(sequence: list[bytes], root: str = "text") -> str:
    return str(crdt.build(sequence).get(root, type=Text))


strokes = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4), st.text("abc", max_size=4)), max_size=8)


@settings(deadline=None)
@given(strokes, strokes)
def test_taking_everything_back_gives_what_was_there(first: list[Stroke], second: list[Stroke]) -> None:
    writer = Writer()
    base = [writer.stroke(*stroke) for stroke in first]
    later = [writer.stroke(*stroke) for stroke in second]
    assert text_of([*base, *later, crdt.revert(base, later)]) == text_of(base)


def test_only_one_persons_edits_are_taken_back() -> None:
    ann, bob = Writer(), Writer()
    base = [ann.stroke(0, 0, "The end.")]
    bob.doc.apply_update(base[0])
    first = bob.stroke(0, 0, "Once. ")
    ann.doc.apply_update(first)
    hers = ann.stroke(6, 3, "That was the")
    bob.doc.apply_update(hers)
    last = bob.stroke(len(str(bob.text)), 0, " Really.")
    later = [(first, True), (hers, False), (last, True)]
    assert text_of([*base, first, hers, last]) == "Once. That was the end. Really."
    assert text_of([*base, first, hers, last, crdt.undone(base, later)]) == "That was the end."
    assert crdt.undone(base, [(update, False) for update, _ in later]) == updates.NOTHING


def test_a_root_that_came_later_is_emptied() -> None:
    writer = Writer()
    base = [writer.stroke(0, 0, "one")]
    before = writer.doc.get_state()
    other: Map[Any] = writer.doc.get("later", type=Map)
    other["key"] = "value"
    later = [writer.doc.get_update(before)]
    doc = crdt.build([*base, *later, crdt.revert(base, later)])
    assert dict(doc.get("later", type=Map)) == {}
    assert str(doc.get("text", type=Text)) == "one"
