"""BlockNote's documents, read as others. That its editors store them so: tests/collab/test_blocknote.py."""

from typing import Any

import pycrdt
import pytest

from models import content
from models.content import blocknote


def block(
    name: str, /, *inside: dict[str, Any], below: tuple[dict[str, Any], ...] = (), **attrs: Any
) -> dict[str, Any]:
    group = [{"type": "blockGroup", "content": list(below)}] if below else []
    found = {"type": name, "attrs": attrs, "content": list(inside)}
    return {"type": "blockContainer", "attrs": {"id": "1"}, "content": [found, *group]}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def written(*blocks: dict[str, Any]) -> pycrdt.Doc[Any]:
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    content.replace(doc, {"type": "doc", "content": [{"type": "blockGroup", "content": list(blocks)}]})
    return doc


def test_lists_are_found_in_their_items() -> None:
    doc = written(
        block("numberedListItem", text("three"), start=3),
        block("numberedListItem", text("four"), below=(block("bulletListItem", text("deep")),)),
        block("checkListItem", text("open"), checked=False),
        block("toggleListItem", text("more"), below=(block("paragraph", text("inside")),)),
    )
    assert content.to_markdown(doc) == "3. three\n4. four\n   - deep\n\n- [ ] open\n\n* more\n\n  inside\n"


def test_blocks_that_only_blocknote_has() -> None:
    doc = written(
        block("quote", text("said")),
        block("divider"),
        block("image", url="https://example.com/a.png", caption="A"),
        block("file", url="https://example.com/b.pdf", name="b.pdf"),
        block("file"),
        {
            "type": "columnList",
            "content": [
                {"type": "column", "content": [block("paragraph", text("left"))]},
                {"type": "column", "content": [block("paragraph", text("right"))]},
            ],
        },
        block("paragraph", text("out"), below=(block("paragraph", text("in")),)),
    )
    assert content.to_markdown(doc).split("\n\n") == [
        "> said",
        "---",
        "![A](https://example.com/a.png)",
        "[b.pdf](https://example.com/b.pdf)",
        "left",
        "right",
        "out",
        "in\n",
    ]
    assert "<blockquote><p>said</p></blockquote><hr>" in content.to_html(doc)


def test_what_was_stored_is_given_as_it_is() -> None:
    doc = written(block("quote", text("said")))
    assert content.to_prosemirror(doc)["content"][0]["type"] == "blockGroup"


def test_an_empty_document_is_empty() -> None:
    assert content.to_markdown(written(block("paragraph"))) == ""


def test_markdown_is_not_written_over_it() -> None:
    """Its editors would delete what they do not know, for everybody."""
    doc = written(block("paragraph", text("kept")))
    with pytest.raises(content.ContentError, match="BlockNote"):
        content.write_markdown(doc, "# New")
    assert content.to_markdown(doc) == "kept\n"


def test_other_documents_stay_as_they_are() -> None:
    document = {"type": "doc", "content": [{"type": "paragraph", "content": [text("x")]}]}
    assert blocknote.to_tiptap(document) is document
