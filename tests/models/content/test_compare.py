"""Comparing rich texts: what is marked, and that both sides can be told from it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.content import parse_markdown
from models.content.compare import accepted, change_of, compare, rejected
from models.content.compare_html import comparison_to_html, text_comparison_to_html
from models.content.diff import text_changes
from models.content.schema import Node, children, document, element, text_node
from tests.models.content.strategies import any_document, valid_document

either = any_document | valid_document


@st.composite
def edited(draw: st.DrawFn) -> tuple[Node, Node]:
    """A document and what somebody made of it: blocks moved, dropped and added."""
    old, other = draw(valid_document), draw(valid_document)
    blocks = draw(st.permutations(children(old)))
    return old, document([*blocks[: draw(st.integers(0, len(blocks)))], *children(other)])


@settings(max_examples=300, deadline=None)
@given(st.tuples(either, either) | edited())
def test_accepting_gives_the_new_and_rejecting_the_old_document(pair: tuple[Node, Node]) -> None:
    old, new = pair
    merged = compare(old, new)
    assert accepted(merged) == new
    assert rejected(merged) == old


@given(either)
def test_a_document_does_not_differ_from_itself(node: Node) -> None:
    assert compare(node, node) == node


@given(st.text("ab \n<&"), st.text("ab \n<&"))
def test_texts_can_be_read_from_their_html(old: str, new: str) -> None:
    html = text_comparison_to_html(old, new)
    assert html.startswith("<pre>")
    assert ("<ins>" in html or "<del>" in html) == (old != new) == bool(list(text_changes(old, new)))


def html_of(old: str, new: str) -> str:
    return comparison_to_html(compare(parse_markdown(old), parse_markdown(new)))


@pytest.mark.parametrize(
    ("old", "new", "html"),
    [
        ("one two three", "one 2 three", "<p>one <del>two</del><ins>2</ins> three</p>"),
        ("one *two*", "one **two**", "<p>one <del><em>two</em></del><ins><strong>two</strong></ins></p>"),
        ("a\n\nb", "a\n\nx y\n\nb", "<p>a</p><ins><p>x y</p></ins><p>b</p>"),
        ("a\n\nb\n\nc", "a\n\nc", "<p>a</p><del><p>b</p></del><p>c</p>"),
        ("# One", "## One", '<h2 data-before="{&quot;level&quot;: 1}">One</h2>'),
        ("- a\n- b", "- a\n- b\n- c", "<ul><li><p>a</p></li><li><p>b</p></li><li><ins><p>c</p></ins></li></ul>"),
        (
            "first of all\n\nsecond one\n\nthird and last",
            "second one\n\nthird and last\n\nfirst of all",
            '<del data-move="1"><p>first of all</p></del><p>second one</p><p>third and last</p>'
            '<ins data-move="1"><p>first of all</p></ins>',
        ),
        (
            "- [ ] buy milk",
            "- [x] buy milk",
            '<ul data-type="taskList"><li data-before="{&quot;checked&quot;: false}" data-checked="true">'
            '<input type="checkbox" disabled="" checked="">'
            "<div><p><del>☐ </del><ins>☑ </ins>buy milk</p></div></li></ul>",
        ),
        (
            "```py\na = 1\nb = 2\n```",
            "```py\na = 1\nb = 3\n```",
            '<pre><code class="language-py">a = 1\nb = <del>2</del><ins>3</ins></code></pre>',
        ),
    ],
)
def test_changes_as_html(old: str, new: str, html: str) -> None:
    assert html_of(old, new) == html


def test_a_new_row_of_a_table_is_marked_in_its_cells() -> None:
    html = html_of("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |")
    assert "<td><p>2</p></td></tr><tr><td><ins><p>3</p></ins></td><td><ins><p>4</p></ins></td></tr>" in html


def test_marks_of_the_same_name_that_are_not_ours_are_content() -> None:
    theirs = document([element("paragraph", None, [text_node("x", [{"type": "insertion"}])])])
    merged = compare(theirs, theirs)
    assert accepted(merged) == rejected(merged) == theirs
    assert change_of(children(children(merged)[0])[0]) is None
    assert comparison_to_html(merged) == "<p>x</p>"


def test_hostile_text_stays_text() -> None:
    html = html_of("a <script>alert(1)</script>", "b <img src=x onerror=alert(1)>")
    assert "<script" not in html
    assert "<img" not in html


def test_a_long_document_is_compared_in_bounded_time() -> None:
    words = [f"word{number % 97} " * 12 for number in range(2_000)]
    old = document([element("paragraph", None, [text_node(line, [])]) for line in words])
    new = document([element("paragraph", None, [text_node(f"{line}!", [])]) for line in reversed(words)])
    started = time.process_time()
    merged = compare(old, new)
    assert time.process_time() - started < 20
    assert accepted(merged) == new
