"""Files as documents: what is taken over, and what is not."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pycrdt import Doc

from models import content
from models.content.schema import Node, children, document
from models.exports import Format
from models.exports.rendering import render
from models.imports import BadItem, Converted, Kind, beside, convert, nothing_beside
from models.imports.unpacking import open_zip
from tests.models.content.strategies import said_document
from tests.models.exports.test_rendering import EVERYTHING, SECRET, address, png
from tests.models.imports.zips import pack, word

PAGE = """<html><head><title>My page</title></head><body>
<h1>Hello</h1><p>a <b>b</b> <u>u</u> <mark>m</mark> <s>s</s> “q” <a href="https://x.y">l</a></p>
<ul><li>one<ul><li>two</li></ul></li></ul><ol start="3"><li>three</li></ol>
<ul><li><input type="checkbox" checked> done</li><li><input type="checkbox"> open</li></ul>
<blockquote><p>quote</p></blockquote><pre><code class="language-py">x = 1
y = 2</code></pre>
<table><tr><th>a</th><th>b</th></tr><tr><td colspan="2">c</td></tr></table><hr></body></html>"""


def node_of(made: Converted) -> Node:
    doc: Doc[Any] = Doc()
    doc.apply_update(made.update)
    return content.to_prosemirror(doc)


async def html(source: str) -> Node:
    return node_of(await convert("page.html", Kind.HTML, source.encode(), nothing_beside))


async def test_html_is_taken_over() -> None:
    made = await convert("page.html", Kind.HTML, PAGE.encode(), nothing_beside)
    assert made.title == "My page"
    assert content.markdown_of(node_of(made)) == (
        "# Hello\n\na **b** u m ~~s~~ “q” [l](https://x.y)\n\n- one\n  - two\n\n3. three\n\n- [x] done\n- [ ] open\n\n"
        "> quote\n\n```py\nx = 1\ny = 2\n```\n\n| a | b |\n| --- | --- |\n| c |  |\n\n---\n"
    )


async def test_our_own_exports_come_back() -> None:
    node = content.parse_markdown(EVERYTHING)
    doc: Doc[Any] = Doc()
    content.replace(doc, node)
    for format, kind in ((Format.MARKDOWN, Kind.MARKDOWN), (Format.HTML, Kind.HTML), (Format.DOCX, Kind.DOCX)):
        made = await convert("x", kind, await render([doc.get_update()], format, title=""), nothing_beside)
        back = content.markdown_of(node_of(made))
        assert made.notes == []
        for line in ("# Heading 標題", "**bold** *italic* ~~gone~~ `code` [link](https://example.org) 😀 漢字"):
            assert line in back, format
        for line in ("- one\n  - two", "1. first", "- [x] done", "- [ ] open", "> quote", 'print("漢字")', "| 1 | 2 |"):
            assert line in back, format
        assert "data:image/png;base64," in back, format


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said_document)
async def test_html_comes_back_as_the_same_text(node: Node) -> None:
    doc: Doc[Any] = Doc()
    content.replace(doc, node)
    back = await html(content.to_html(doc))

    def words(node_: Node) -> str:
        return "".join(content.markdown_of(document([block])) for block in children(node_))

    assert isinstance(words(back), str)
    assert sum(block["type"] == "codeBlock" for block in children(back)) == sum(
        block["type"] == "codeBlock" for block in children(node)
    )


async def test_a_word_document_is_taken_over() -> None:
    made = await convert("Report.docx", Kind.DOCX, word("Hello Word"), nothing_beside)
    assert (made.title, content.markdown_of(node_of(made))) == ("Report", "Hello Word\n")


async def test_what_a_word_document_loses_is_noted() -> None:
    node = content.parse_markdown(f"![picture]({address(png(3, 2) + bytes(600 * 1024))})")
    doc: Doc[Any] = Doc()
    content.replace(doc, node)
    made = await convert("x.docx", Kind.DOCX, await render([doc.get_update()], Format.DOCX, title=""), nothing_beside)
    [note] = made.notes
    assert note.startswith("The image media/")
    assert note.endswith("was left out: it is too large, or damaged.")


async def test_titles_are_found() -> None:
    for source, title in (("# One\n\nx", "One"), ("x", "file name"), ("## Two", "file name"), ("", "file name")):
        assert (await convert("dir/file name.md", Kind.MARKDOWN, source.encode(), nothing_beside)).title == title


async def test_images_beside_a_document_come_with_it() -> None:
    archive = open_zip(
        pack(
            {
                "docs/a.md": "",
                "docs/ok.png": png(3, 2),
                "up.png": png(4, 2),
                "docs/vector.svg": "<svg onload='alert(1)'/>",
                "docs/wide.png": png(60_000, 60_000, b""),
                "docs/big.png": png(3, 2) + bytes(600 * 1024),
            }
        )
    )
    source = "![a](ok.png) ![b](../up.png) ![c](vector.svg) ![d](wide.png) ![e](big.png) ![f](none.png) ![g](https://x/y.png)"
    made = await convert("docs/a.md", Kind.MARKDOWN, source.encode(), beside(archive, "docs/a.md"))
    images = [node["attrs"]["src"] for node in children(node_of(made)) if node["type"] == "image"]
    assert images == [address(png(3, 2)), address(png(4, 2)), "https://x/y.png"]
    assert [note.split(" was left out: ")[1] for note in made.notes] == [
        "it is no PNG, JPEG, GIF or WebP.",
        "it is too large.",
        "it is too large, or damaged.",
        "it is not there.",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script><p onclick='alert(1)'>x</p><a href='javascript:alert(1)'>y</a>",
        "<svg><script>alert(1)</script></svg><img src='data:image/svg+xml,<svg onload=alert(1)>'>",
        "<iframe src='file:///etc/passwd'></iframe><object data='x'></object>",
        "<style>@import url(http://127.0.0.1/x)</style>",
    ],
)
async def test_nothing_that_runs_is_taken_over(source: str) -> None:
    doc: Doc[Any] = Doc()
    content.replace(doc, await html(source))
    shown = content.to_html(doc)
    for trace in ("alert", "<script", "svg", "javascript", "onclick", "iframe", "import"):
        assert trace not in shown


async def test_conversion_reads_and_fetches_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_text(SECRET)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.1)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x.png"
        node = await html(f"<img src='{url}'><img src='file://{secret}'><img src='{secret}'>")
        with pytest.raises(TimeoutError):
            listener.accept()
    assert SECRET not in str(node)


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (Kind.MARKDOWN, b"\xff\xfe\xfd", "not UTF-8"),
        (Kind.MARKDOWN, b"x" * (8 * 1024 * 1024 + 1), "larger than"),
        (Kind.HTML, b"\xff", "not UTF-8"),
        (Kind.DOCX, b"PK", "no Word document"),
        (Kind.DOCX, word("x")[:-40], "no Word document"),
        (Kind.ZIP, b"", "zip inside a zip"),
    ],
)
async def test_what_is_no_document_is_refused(kind: Kind, data: bytes, reason: str) -> None:
    with pytest.raises(BadItem, match=reason):
        await convert("x", kind, data, nothing_beside)


@pytest.mark.parametrize("tag", [b"blockquote", b"DIV", b"b"])
async def test_html_nested_without_end_is_refused_before_it_is_converted(tag: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BadItem, match="too deeply"):
        await convert("x.html", Kind.HTML, (b"<" + tag + b">") * 100_000, nothing_beside)
    assert time.process_time() - started < 1


async def test_html_that_leaves_ends_out_is_taken() -> None:
    node = await html("<p>one<p>two<ul><li>a<li>b</ul>" * 300)
    assert len(children(node)) == 900
