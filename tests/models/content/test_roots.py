"""Plain-text documents, and that looking at a document does not change it."""

from collections.abc import Callable
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlFragment

from models import content
from tests.models.content.test_prosemirror import FIXTURES, RICH, edits, load

PLAIN = FIXTURES["plain"]
VERBATIM = "plain 😀\ntext *as is*"


def test_a_text_called_default_is_exported_verbatim() -> None:
    doc = load(PLAIN["default"])
    assert content.to_markdown(doc) == content.to_text(doc) == VERBATIM
    assert content.to_html(doc) == f"<pre>{VERBATIM}</pre>"
    assert content.to_prosemirror(doc) == {"type": "doc", "content": []}


def test_rich_text_is_not_written_over_a_text_called_default() -> None:
    doc = load(PLAIN["default"])
    with pytest.raises(content.ContentError, match="plain text"):
        content.replace(doc, content.parse_markdown("# Rich"))
    assert content.to_markdown(doc) == VERBATIM


def test_markdown_is_written_verbatim_into_a_plain_text() -> None:
    doc = load(PLAIN["default"])
    content.write_markdown(doc, "  *as is* 漢\n\n")
    assert content.root_texts(doc) == {"default": "  *as is* 漢\n\n"}
    with pytest.raises(content.ContentError, match="several texts: a, b"):
        content.write_markdown(load(PLAIN["two"]), "x")


@pytest.mark.parametrize("update", [PLAIN["default"], PLAIN["formatted"], *(case["update"] for case in RICH.values())])
def test_writing_what_was_read_is_no_edit(update: str) -> None:
    doc = load(update)
    assert edits(doc, lambda: content.write_markdown(doc, content.to_markdown(doc))) == []


def test_markdown_into_an_empty_document_is_rich_text() -> None:
    doc: Doc[Any] = Doc()
    content.write_markdown(doc, "# Title")
    assert content.to_html(doc) == "<h1>Title</h1>"


def test_several_texts_are_joined_by_name_and_other_types_left_out() -> None:
    doc = load(PLAIN["two"])
    assert content.root_texts(doc) == {"a": "first", "b": "second"}
    assert content.to_markdown(doc) == "first\n\nsecond"


def test_formatted_text_is_text() -> None:
    assert content.to_markdown(load(PLAIN["formatted"])) == "bold text\n"


def test_an_empty_document_is_empty() -> None:
    doc: Doc[Any] = Doc()
    assert content.to_markdown(doc) == content.to_html(doc) == content.to_text(doc) == ""
    assert content.root_texts(doc) == {}


def test_the_empty_paragraph_of_an_opened_editor_hides_no_text() -> None:
    doc: Doc[Any] = Doc()
    content.replace(doc, {"type": "doc", "content": [{"type": "paragraph"}]})
    doc.get("notes", type=Text).insert(0, "kept")
    assert content.to_markdown(doc) == "kept"


@pytest.mark.parametrize("update", [*PLAIN.values(), *(case["update"] for case in RICH.values())])
def test_reading_changes_no_state(update: str) -> None:
    doc, untouched = load(update), load(update)
    for convert in (content.to_text, content.to_markdown, content.to_html, content.to_prosemirror):
        assert edits(doc, lambda convert=convert: convert(doc)) == []  # type: ignore[misc]
    assert doc.get_state() == untouched.get_state()
    for one, other in ((doc, untouched), (untouched, doc)):
        fresh: Doc[Any] = Doc()
        fresh.apply_update(one.get_update())
        assert content.to_prosemirror(fresh) == content.to_prosemirror(other)
        assert content.root_texts(fresh) == content.root_texts(other)


@pytest.mark.parametrize(
    ("kind", "fill"),
    [
        (Array, lambda root: root.append("x")),
        (Map, lambda root: root.update({"a": "x"})),
        (Text, lambda root: root.insert(0, "x")),
    ],
)
def test_roots_cast_by_reading_still_work(kind: Any, fill: Callable[[Any], None]) -> None:
    source: Doc[Any] = Doc()
    fill(source.get("root", type=kind))
    doc: Doc[Any] = Doc()
    doc.apply_update(source.get_update())
    content.to_markdown(doc)
    fill(doc.get("root", type=kind))
    source.apply_update(doc.get_update(source.get_state()))
    assert source.get("root", type=kind).to_py() == doc.get("root", type=kind).to_py()


def test_a_fragment_looked_at_as_text_can_still_be_edited() -> None:
    doc = load(RICH["nodes"]["update"])
    doc.get("default", type=Text)
    content.replace(doc, content.parse_markdown("# New"))
    assert content.to_markdown(doc) == "# New\n"
    assert len(doc.get("default", type=XmlFragment).children) == 1
