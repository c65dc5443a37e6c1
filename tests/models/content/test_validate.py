"""Foreign JSON: what may come in, and how the reason is told when it may not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import content
from models.content.schema import Node, key
from tests.models.content.strategies import any_document, json_values, valid_document


def paragraph(*nodes: Any) -> Node:
    return {"type": "doc", "content": [{"type": "paragraph", "content": list(nodes)}]}


def nested(levels: int) -> Node:
    node: Node = {"type": "paragraph"}
    for _ in range(levels):
        node = {"type": "blockquote", "content": [node]}
    return {"type": "doc", "content": [node]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "$: expected an object"),
        ({}, "$.type: expected a name"),
        ({"type": "paragraph"}, "$.type: expected 'doc'"),
        ({"type": "doc", "content": {}}, "$.content: expected a list"),
        ({"type": "doc", "content": [1]}, "$.content[0]: expected an object"),
        (paragraph({"type": "text", "text": ""}), "$.content[0].content[0].text: expected a text"),
        (
            paragraph({"type": "text", "text": "\ud800"}),
            "$.content[0].content[0].text: text with a lone surrogate",
        ),
        (paragraph({"type": "text", "text": "a", "marks": [{}]}), "marks[0].type: expected a name"),
        (
            paragraph({"type": "heading", "attrs": []}, {"type": "heading", "attrs": 1}),
            "attrs: expected an object",
        ),
        (paragraph({"type": "paragraph"}), "$.content[0].content[0]: paragraph is not allowed in paragraph"),
        ({"type": "doc", "content": [{"type": "heading", "attrs": {"level": 9}}]}, "level: expected 1 to 6"),
        ({"type": "doc", "content": [{"type": "bulletList"}]}, "$.content[0]: bulletList must not be empty"),
        (nested(101), "nested deeper than 100"),
        ({"type": "doc", "content": [{"type": "paragraph"}] * 100_001}, "more than 100000 nodes"),
    ],
)
def test_what_may_not_come_in(value: object, message: str) -> None:
    with pytest.raises(content.ContentError) as caught:
        content.validate_prosemirror(value)
    assert message in str(caught.value)


def test_attributes_nested_too_deeply_are_refused() -> None:
    value: object = 1
    for _ in range(500):
        value = [value]
    with pytest.raises(content.ContentError, match="attributes are nested"):
        content.validate_prosemirror({"type": "doc", "content": [{"type": "x", "attrs": {"a": value}}]})


@given(valid_document)
def test_valid_documents_are_in_normal_form(node: Node) -> None:
    assert key(content.validate_prosemirror(node)) == key(node)


@given(any_document)
def test_normal_form_is_stable(node: Node) -> None:
    assert key(content.normalize(node)) == key(node)


shapes = st.recursive(
    json_values | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["doc", "text", "paragraph"]) | inner},
            optional={"content": inner, "attrs": inner, "marks": inner, "text": inner},
        )
    ),
    max_leaves=10,
)


@given(shapes)
def test_any_json_is_a_document_or_a_content_error(value: object) -> None:
    try:
        node = content.validate_prosemirror(value)
    except content.ContentError:
        return
    assert content.normalize(node) == node
