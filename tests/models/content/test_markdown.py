"""Markdown out and in: what it can say comes back exactly, everything else settles after one round."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Doc

from models import content
from models.content.schema import Node, key
from tests.models.content.strategies import TRICKY, said_document, valid_document
from tests.models.content.test_prosemirror import RICH, load, made

SOURCE = st.lists(
    st.sampled_from([*TRICKY, "\n\n", "> ", "# ", "    ", "```", "| a |\n|---|\n", "- [ ] ", "<br>", "![a](b)"])
).map("".join)

GOLDEN = r"""# Heading

Text with **bold**, *italic*, ~~struck~~, `code`, [link](https://a.b "title"), 2 \* 3 and snake\_case\
next line

- a
  - nested
- b

* [x] done
* [ ] open

3. three
4. four

> quote

```py
x = 1
```

| A | B |
| --- | ---: |
| 1 | a\|b<br>c |

![alt](https://a.b/c.png)

---
"""


def test_the_shape_of_markdown() -> None:
    golden = GOLDEN.replace(r"snake\_case", "snake_case")
    assert content.to_markdown(made(content.parse_markdown(GOLDEN))) == golden


@given(said_document)
def test_what_markdown_can_say_comes_back(node: Node) -> None:
    assert key(content.parse_markdown(content.markdown_of(node))) == key(node)


@given(valid_document)
def test_everything_else_settles_after_one_round(node: Node) -> None:
    once = content.markdown_of(node)
    assert content.markdown_of(content.parse_markdown(once)) == once


@given(SOURCE)
def test_every_source_gives_a_valid_document_and_settles(source: str) -> None:
    doc = made(content.validate_prosemirror(content.parse_markdown(source)))
    once = content.to_markdown(doc)
    content.replace(doc, content.parse_markdown(once))
    assert content.to_markdown(doc) == once


@pytest.mark.parametrize(
    "text",
    [
        "# no",
        "1. no",
        "- no",
        "+ no",
        "> no",
        "---",
        "===",
        "| a |",
        "<b>",
        "&amp;",
        "[a]: b",
        "*a*",
        "a_b_ c",
        "`a`",
    ],
)
def test_text_stays_text(text: str) -> None:
    node = {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]}
    assert content.parse_markdown(content.markdown_of(node)) == node


def test_raw_html_is_text() -> None:
    parsed = content.parse_markdown("<script>alert(1)</script>\n\na <i>b</i>")
    assert content.to_text(made(parsed)) == "<script>alert(1)</script>\na <i>b</i>"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "vbscript:x", "&#106;avascript:x"]
)
def test_links_that_run_something_are_none(url: str) -> None:
    assert "href" not in key(content.parse_markdown(f"[a](<{url}>) ![b](<{url}>)"))
    assert '"image"' not in key(content.parse_markdown(f"![b](<{url}>)"))


def test_markdown_nested_too_deeply_is_refused_not_cut() -> None:
    with pytest.raises(content.ContentError, match="nested"):
        content.parse_markdown("> " * 200 + "lost?")
    assert content.to_text(made(content.parse_markdown("> " * 90 + "kept"))) == "kept"


def test_links_are_not_a_bomb() -> None:
    with pytest.raises(content.ContentError, match="repeats"):
        content.parse_markdown(f"[a]: /{'x' * 10_000}\n\n{'[a] ' * 1_000}")


def test_writing_back_what_was_read_changes_nothing() -> None:
    for case in RICH.values():
        doc = load(case["update"])
        before = content.to_prosemirror(doc)
        assert content.merge_markdown(before, content.to_markdown(doc)) == before


@given(valid_document)
def test_writing_back_keeps_what_markdown_cannot_say(node: Node) -> None:
    doc: Doc[Any] = made(node)
    merged = content.merge_markdown(node, content.to_markdown(doc))
    if len(content.parse_markdown(content.to_markdown(doc))["content"]) == sum(
        bool(content.markdown_of({"type": "doc", "content": [block]})) for block in node["content"]
    ):
        assert key(merged) == key(node)


@settings(max_examples=20)
@given(st.integers(0, 3), st.sampled_from(["new", "**new**"]))
def test_only_edited_blocks_lose_what_markdown_cannot_say(index: int, edit: str) -> None:
    underlined = [
        {
            "type": "paragraph",
            "content": [{"type": "text", "text": f"p{n}", "marks": [{"type": "underline"}]}],
        }
        for n in range(4)
    ]
    node = {"type": "doc", "content": underlined}
    merged = content.merge_markdown(node, content.markdown_of(node).replace(f"p{index}", edit))
    assert [block for i, block in enumerate(merged["content"]) if i != index] == underlined[:index] + underlined[
        index + 1 :
    ]
    assert merged["content"][index] == content.parse_markdown(edit)["content"][0]
