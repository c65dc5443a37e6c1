"""Edits are minimal, exact, and leave alone what others do at the same time."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Text

from models import content
from models.content.diff import changes, text_changes
from models.content.schema import Node, key
from tests.models.content.strategies import any_document, texts, valid_document
from tests.models.content.test_prosemirror import RICH, edits, load, made

PARAGRAPHS = "\n\n".join(f"Paragraph {number} with some words in it, and **bold** ones." for number in range(200))


def size_of_edit(doc: Doc[Any], target: Node) -> int:
    """The size of its one update, 0 if there is none."""
    updates = edits(doc, lambda: content.replace(doc, target))
    assert len(updates) <= 1
    return sum(map(len, updates))


@given(any_document, any_document)
def test_replace_gives_the_target(before: Node, target: Node) -> None:
    doc = made(before)
    content.replace(doc, target)
    assert key(content.to_prosemirror(doc)) == key(target)


@given(valid_document, valid_document, st.sampled_from(sorted(RICH)))
def test_replace_gives_the_target_on_an_edited_document(first: Node, second: Node, name: str) -> None:
    doc = load(RICH[name]["update"])
    for target in (first, second, first):
        content.replace(doc, target)
        assert key(content.to_prosemirror(doc)) == key(target)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Paragraph 77 with", "Paragraph 77x with"),
        ("Paragraph 77 with", "Paragraph 7 with"),
        ("Paragraph 3 with", "Paragraph 3 😀with"),
    ],
)
def test_one_character_is_a_small_update(old: str, new: str) -> None:
    doc = made(content.parse_markdown(PARAGRAPHS))
    assert 0 < size_of_edit(doc, content.parse_markdown(PARAGRAPHS.replace(old, new))) < 100


def test_a_character_in_bold_text_takes_the_marks_of_its_neighbours() -> None:
    doc = made(content.parse_markdown("some **bold** text"))
    assert size_of_edit(doc, content.parse_markdown("some **boold** text")) < 60


def test_what_is_equal_makes_no_update() -> None:
    doc = made(content.parse_markdown(PARAGRAPHS))
    assert size_of_edit(doc, content.parse_markdown(PARAGRAPHS)) == 0


@pytest.mark.parametrize("theirs", ["# Their\n\nsecond", "first\n\nsecond, theirs", "first\n\nsecond\n\nthird"])
def test_concurrent_edits_elsewhere_survive(theirs: str) -> None:
    here = made(content.parse_markdown("first\n\nsecond\n\n- list"))
    there: Doc[Any] = Doc()
    there.apply_update(here.get_update())
    content.replace(there, content.parse_markdown(f"{theirs}\n\n- list"))
    content.replace(here, content.parse_markdown("first\n\nsecond\n\n- list, ours"))
    here.apply_update(there.get_update())
    there.apply_update(here.get_update())
    expected = content.parse_markdown(f"{theirs}\n\n- list, ours")
    assert content.to_prosemirror(here) == content.to_prosemirror(there) == expected


def test_the_edited_paragraph_is_found_beside_a_new_one() -> None:
    here = made(content.parse_markdown("An old sentence."))
    there: Doc[Any] = Doc()
    there.apply_update(here.get_update())
    content.replace(here, content.parse_markdown("Something new.\n\nAn old sentence, edited."))
    content.replace(there, content.parse_markdown("An old sentence. Theirs"))
    here.apply_update(there.get_update())
    assert content.to_markdown(here) == "Something new.\n\nAn old sentence, edited. Theirs\n"


def test_attributes_change_in_place() -> None:
    doc = made(content.parse_markdown("# Title\n\n1. a"))
    assert size_of_edit(doc, content.parse_markdown("## Title\n\n5. a")) < 80


texts_with_everything = (
    st.lists(st.sampled_from(["a", "b ", "\n", "😀", "漢", "e\u0301", "👩‍👩‍👧", "\0"])).map("".join) | texts
)


@given(texts_with_everything, texts_with_everything)
def test_text_becomes_its_target(before: str, target: str) -> None:
    doc: Doc[Any] = Doc()
    root = doc.get("text", type=Text)
    root += before
    content.replace_text(root, target)
    assert str(root) == target


def test_a_long_text_is_edited_fast_and_minimally() -> None:
    lines = [f"line {number} 漢字 {number * 7919 % 1000}\n" for number in range(5_000)]
    doc: Doc[Any] = Doc()
    root = doc.get("text", type=Text)
    root += "".join(lines)
    before, started = doc.get_state(), time.perf_counter()
    lines[10], lines[4_990] = "line 10 changed 漢😀字\n", ""
    content.replace_text(root, "".join(lines))
    assert str(root) == "".join(lines)
    assert len(doc.get_update(before)) < 200
    content.replace_text(root, "".join(reversed(lines)))
    assert str(root) == "".join(reversed(lines))
    assert time.perf_counter() - started < 2


def test_text_with_objects_in_it_is_refused() -> None:
    doc: Doc[Any] = Doc()
    root = doc.get("text", type=Text)
    root += "ab"
    root.insert_embed(1, {"image": 1})
    with pytest.raises(content.ContentError, match="embedded"):
        content.replace_text(root, "abc")


@given(st.text("ab \n"), st.text("ab \n"), st.integers(0, 8))
def test_changes_make_one_sequence_of_the_other(a: str, b: str, limit: int) -> None:
    for found in (changes(a, b, limit), list(text_changes(a, b))):
        result, position = "", 0
        for change in found:
            result += a[position : change.start] + b[change.new_start : change.new_stop]
            position = change.stop
        assert result + a[position:] == b
