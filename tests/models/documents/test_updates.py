"""The questions asked about updates, against what pycrdt does with them."""

import pycrdt
from hypothesis import given
from hypothesis import strategies as st

from models import lib0
from models.documents import crdt
from models.yjs import updates
from tests.collab.sockets import Editor

Ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 10)), max_size=12)


def test_only_updates_decode() -> None:
    assert updates.decodes(Editor(1).type("a"))
    assert updates.decodes(updates.NOTHING)
    for bad in (b"", b"\0", b"\xff" * 9, lib0.varuint(2**28) + b"\1", lib0.varuint(2**32) + b"\1"):
        assert not updates.decodes(bad)


def test_an_update_waits_for_its_predecessor() -> None:
    editor = Editor(1)
    first, second, third = editor.type("a"), editor.type("b"), editor.erase(0, 1)
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    for raw in (second, third):
        doc.apply_update(raw)
    assert _waits(doc, second)
    assert _waits(doc, third), "a deletion of what is not there yet waits as well"
    doc.apply_update(first)
    assert not any(_waits(doc, raw) for raw in (first, second, third))


def test_documents_are_the_same_in_whatever_order_they_were_written() -> None:
    one, other = (Editor(client).type("x") for client in (3181595063486356, 8532575751681600))
    left, right = crdt.build([one, other]), crdt.build([other, one])
    assert left.get_state() != right.get_state(), "they name their clients in another order"
    assert crdt.same_clocks(left, right)
    assert not crdt.same_clocks(left, crdt.build([one]))


@given(Ranges, Ranges)
def test_covering_is_being_a_subset(known: updates.Ranges, asked: updates.Ranges) -> None:
    def members(ranges: updates.Ranges) -> set[int]:
        return {clock + step for clock, length in ranges for step in range(length)}

    assert updates.covers({1: known}, {1: asked}) == (members(asked) <= members(known))
    assert members(updates.merged(known)) == members(known)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=20))
def test_deletions_are_those_of_the_doc(cuts: list[tuple[int, int]]) -> None:
    editor = Editor(7)
    editor.type("x" * 40)
    for start, end in cuts:
        if start < end <= len(editor.text):
            editor.erase(start, end)
    state = editor.doc.get_state()
    found = updates.deletions(editor.doc.get_update(state))
    assert sum(length for ranges in found.values() for _, length in updates.merged(ranges)) == 40 - len(editor.text)
    assert updates.clocks(state) == {7: 40}


def _waits(doc: "pycrdt.Doc[pycrdt.Text]", raw: bytes) -> bool:
    state = doc.get_state()
    return updates.waits(raw, state, updates.clocks(state))
