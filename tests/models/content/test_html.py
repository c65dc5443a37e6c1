"""HTML is safe whatever is in the document, and looks like the document."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Text

from models import content
from models.content.schema import Node
from models.content.urls import safe_image, safe_link
from tests.models.content.strategies import any_document
from tests.models.content.test_prosemirror import RICH, load, made

TAGS = (
    "a blockquote br code div em h1 h2 h3 h4 h5 h6 hr img input li mark ol p pre s span strong sub sup table "
    "tbody td th tr u ul"
)
ATTRIBUTES = "alt checked class colspan data-checked data-type disabled href rel rowspan src start style title type"


class Audit(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS.split()
        for name, value in attrs:
            assert name in ATTRIBUTES.split()
            if name in ("href", "src"):
                assert not (value or "").lower().startswith(("javascript", "vbscript", "data:text"))


@given(any_document)
def test_html_has_nothing_but_what_it_should(node: Node) -> None:
    Audit().feed(content.to_html(made(node)))


def test_the_shape_of_html() -> None:
    html = content.to_html(load(RICH["nodes"]["update"]))
    assert html.startswith('<h2>Title</h2><p>One<br>two</p><p></p><ul><li><p>a</p><ol start="3"><li><p>b</p></li></ol>')
    assert '<th colspan="2"><p>wide</p></th>' in html
    assert '<p>Hi <span data-type="mention">@Ada</span>!</p>' in html


def test_everything_is_escaped() -> None:
    text = {
        "type": "text",
        "text": "<script>&\"'",
        "marks": [{"type": "link", "attrs": {"href": '/"><script>'}}],
    }
    node = {
        "type": "doc",
        "content": [{"type": "codeBlock", "attrs": {"language": '"><x'}, "content": [text]}],
    }
    html = content.to_html(made(node))
    assert "<script" not in html
    assert '"><x' not in html


@pytest.mark.parametrize("url", ["http://a", "https://a", "mailto:a@b", "/a:b", "a/b", "#c", "?d=e:f", "", "//h/p"])
def test_links_that_lead_somewhere(url: str) -> None:
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:x",
        " javascript:x",
        "java\nscript:x",
        "JAVASCRIPT:x",
        "\x01javascript:x",
        "data:text/html,x",
        "file:///etc",
        "x:y",
        None,
        7,
    ],
)
def test_links_that_may_run_something(url: object) -> None:
    assert safe_link(url) is None
    assert safe_image(url) is None


def test_images_may_be_bitmaps_in_themselves() -> None:
    assert safe_image("data:image/png;base64,AA")
    assert safe_image("data:image/svg+xml,<svg>") is None


@given(st.text())
def test_plain_text_is_preformatted(text: str) -> None:
    doc: Doc[Text] = Doc({"text": Text(text)})
    Audit().feed(content.to_html(doc))
