"""Yjs <-> ProseMirror, against what y-prosemirror 1.3.7 (Tiptap 3.34, Yjs 13.6.33) wrote and read itself."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from models import content
from models.content.prosemirror import formatting
from models.content.schema import Node, key
from tests.models.content.strategies import any_document

FIXTURES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "fixtures" / "y-prosemirror.json").read_text()
)
RICH = FIXTURES["rich"]


def load(update: str) -> Doc[Any]:
    doc: Doc[Any] = Doc()
    doc.apply_update(base64.b64decode(update))
    return doc


def edits(doc: Doc[Any], action: Callable[[], object]) -> list[bytes]:
    """The updates that `action` makes. (A state vector does not tell: deletions leave it as it was.)"""
    seen: list[bytes] = []
    subscription = doc.observe(lambda event: seen.append(event.update))
    action()
    doc.unobserve(subscription)
    return seen


def made(node: Node) -> Doc[Any]:
    doc: Doc[Any] = Doc()
    content.replace(doc, node)
    return doc


@pytest.mark.parametrize("name", RICH)
def test_reads_what_editors_write(name: str) -> None:
    doc = load(RICH[name]["update"])
    assert key(content.to_prosemirror(doc)) == key(content.normalize(RICH[name]["json"]))


@pytest.mark.parametrize("name", RICH)
def test_what_is_equal_needs_no_edit(name: str) -> None:
    doc = load(RICH[name]["update"])
    assert edits(doc, lambda: content.replace(doc, content.normalize(RICH[name]["json"]))) == []


@given(any_document)
def test_every_document_survives_yjs(node: Node) -> None:
    assert key(content.to_prosemirror(made(node))) == key(node)


def test_numbers_are_whole_again_and_what_json_cannot_say_is_null() -> None:
    doc: Doc[Any] = Doc()
    fragment = doc.get("default", type=XmlFragment)
    node = fragment.children.append(XmlElement("table"))
    values = {"n": 2, "half": 1.5, "big": 2**60, "nan": float("nan"), "bytes": b"x", "on": True}
    for name, value in values.items():
        node.attributes[name] = value
    expected = {"n": 2, "half": 1.5, "big": 2.0**60, "on": True}
    read = content.to_prosemirror(doc)["content"][0]["attrs"]
    assert {name: value for name, value in read.items() if value is not None} == expected
    assert type(read["n"]) is int


def test_marks_that_overlap_themselves_lie_on_one_character() -> None:
    comments = [{"type": "comment", "attrs": {"id": number}} for number in (1, 2)]
    text = {"type": "text", "text": "x", "marks": comments}
    node = {"type": "doc", "content": [{"type": "paragraph", "content": [text]}]}
    assert content.to_prosemirror(made(node)) == node
    assert len(formatting(comments)) == 2


def test_a_tree_nested_too_deeply_is_refused_not_walked() -> None:
    doc: Doc[Any] = Doc()
    with doc.transaction():
        parent: XmlFragment | XmlElement = doc.get("default", type=XmlFragment)
        for _ in range(20_000):
            parent = parent.children.append(XmlElement("blockquote"))
    for convert in (content.to_prosemirror, content.to_markdown, content.to_html, content.to_text):
        with pytest.raises(content.ContentError, match="deeper than 100"):
            convert(doc)
    with pytest.raises(content.ContentError, match="deeper than 100"):
        content.replace(doc, {"type": "doc", "content": []})


def test_what_no_editor_knows_is_passed_over() -> None:
    doc: Doc[Any] = Doc()
    fragment = doc.get("default", type=XmlFragment)
    fragment.children.append(XmlElement("text"))
    paragraph = fragment.children.append(XmlElement("paragraph"))
    text = paragraph.children.append(XmlText("ab"))
    text.insert_embed(1, {"image": 1})
    read = content.to_prosemirror(doc)
    assert read["content"] == [{"type": "paragraph", "content": [{"type": "text", "text": "ab"}]}]
    target = {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "abc"}]}]}
    content.replace(doc, target)
    assert content.to_prosemirror(doc) == target
