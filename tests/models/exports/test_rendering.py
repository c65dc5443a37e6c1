"""Documents in each format: what is in them, that nothing hostile is, and that they come out the same each time."""

import base64
import io
import json
import re
import socket
import struct
import zipfile
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pycrdt import Doc, Text

from infra import pandoc, typesetting
from models import content
from models.content.pages import MAX_NESTING, Block, measure, paginate
from models.content.pandoc import to_pandoc
from models.content.schema import Node, document, element, text_node
from models.exports import Format
from models.exports.rendering import render, template
from tests.models.content.strategies import any_document, valid_document

SECRET = "a secret of the machine"


def png(width: int, height: int, pixels: bytes | None = None) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height) if pixels is None else pixels
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def address(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def doc_of(node: Node) -> Doc[Any]:
    doc: Doc[Any] = Doc()
    content.replace(doc, node)
    return doc


async def export(node: Node, format: Format, title: str = "Title") -> bytes:
    return await render([doc_of(node).get_update()], format, title=title)


def words_of(docx: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(docx)) as archive:
        return archive.read("word/document.xml").decode()


EVERYTHING = f"""
# Heading 標題

**bold** *italic* ~~gone~~ `code` [link](https://example.org) 😀 漢字

- one
  - two

1. first

- [x] done
- [ ] open

> quote

```py
print("漢字")
```

| a | b |
|:--|--:|
| 1 | 2 |

![picture]({address(png(3, 2))})

---
"""


@pytest.mark.parametrize("format", list(Format))
async def test_the_same_document_gives_the_same_bytes(format: Format) -> None:
    node = content.parse_markdown(EVERYTHING)
    update = doc_of(node).get_update()
    half = Doc[Any]()
    half.apply_update(update)
    first = await render([update], format, title="Title")
    assert first == await render([half.get_update(), update], format, title="Title")
    assert len(first) > 100


async def test_a_pdf_has_pages_fonts_and_pictures() -> None:
    made = await export(content.parse_markdown(EVERYTHING), Format.PDF)
    assert made.startswith(b"%PDF-1.")
    for font in (b"NotoSans", b"NotoSansCJK", b"NotoEmoji"):
        assert font in made
    assert b"/Subtype/Image" in made
    assert b"https://example.org" in made


async def test_a_word_document_has_everything() -> None:
    made = await export(content.parse_markdown(EVERYTHING), Format.DOCX)
    text = words_of(made)
    for word in ("標題", "漢字", "Heading1", "<w:tbl>", "w:strike"):
        assert word in text
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        [picture] = [name for name in archive.namelist() if name.startswith("word/media/")]
        assert archive.read(picture) == png(3, 2)
        assert {"☒", "☐"} <= set(archive.read("word/numbering.xml").decode())


async def test_a_table_in_a_word_document_has_borders_and_a_header_row() -> None:
    made = await export(content.parse_markdown(EVERYTHING), Format.DOCX)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        style = archive.read("word/styles.xml").decode().partition('w:styleId="Table"')[2].partition("</w:style>")[0]
    edges = style.partition("<w:tblBorders>")[2].partition("</w:tblBorders>")[0]
    for edge in ("top", "left", "bottom", "right", "insideH", "insideV"):
        assert re.search(f'<w:{edge} [^>]*w:val="single"', edges), edge
    head = style.partition('w:type="firstRow"')[2]
    assert "<w:b />" in head and "w:fill=" in head
    table = words_of(made).partition("<w:tbl>")[2].partition("</w:tbl>")[0]
    assert '<w:tblStyle w:val="Table" />' in table and 'w:firstRow="1"' in table
    assert table.partition("</w:tr>")[0].count("<w:tblHeader") == table.count("<w:tblHeader") == 1


class Outside(HTMLParser):
    """What a page would fetch or run, and what it leads to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [str(value) for name, value in attrs if name in ("src", "srcset", "data", "background")]
        self.links += [str(value) for name, value in attrs if name == "href"]


async def test_an_html_file_needs_nothing_else() -> None:
    source = f"{EVERYTHING}\n![far](https://example.org/far.png) ![nowhere](far.png)"
    page = (await export(content.parse_markdown(source), Format.HTML, title="<b>Title</b>")).decode()
    seen = Outside(page)
    assert seen.sources == [address(png(3, 2))]
    assert seen.links == ["https://example.org", "https://example.org/far.png"]
    assert not {"script", "link", "base", "iframe", "b"} & set(seen.tags)
    assert {"style", "table", "blockquote", "pre", "ul", "ol", "input", "strong", "em", "s"} <= set(seen.tags)
    assert seen.tags.count("h1") == 2
    assert "<title>&lt;b&gt;Title&lt;/b&gt;</title>" in page
    assert "url(" not in page and "@import" not in page
    assert "default-src 'none'" in page
    page = (await export(content.parse_markdown(EVERYTHING), Format.HTML, title="Heading 標題")).decode()
    assert Outside(page).tags.count("h1") == 1  # it begins with its title


HOSTILE = [
    '#read("{path}")',
    '#include "{path}"',
    '"; #read("{path}")',
    "\\input{{{path}}} \\write18{{cat {path}}}",
    "<script>alert(1)</script><iframe src='file://{path}'>",
    "$ {{ include-before: {path} }} $ @{path}",
    '`#image("{path}")`',
    "```{{=html}}\n<img src='file://{path}'>\n```",
    "![x](file://{path}) ![y]({url}) ![z](../../../../{path})",
    "[link](file://{path}) [js](javascript:alert(1))",
]


@pytest.mark.parametrize("source", HOSTILE)
@pytest.mark.parametrize("format", [Format.PDF, Format.DOCX, Format.HTML])
async def test_hostile_content_reads_and_fetches_nothing(tmp_path: Path, source: str, format: Format) -> None:
    secret = tmp_path / "secret.png"
    secret.write_text(SECRET)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.05)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hit.png"
        node = content.parse_markdown(source.format(path=secret, url=url))
        made = await export(node, format, title=source.format(path=secret, url=url))
        with pytest.raises(TimeoutError):
            listener.accept()
    inside = words_of(made) if format is Format.DOCX else made.decode(errors="replace")
    assert SECRET not in inside
    assert 'href="javascript:' not in inside


async def test_images_that_are_none_or_too_large_are_described() -> None:
    bomb = png(60_000, 60_000, zlib.compress(b""))
    broken = png(3, 2, b"no pixels")
    images = [
        element("image", {"src": address(data, kind), "alt": alt})
        for data, kind, alt in (
            (bomb, "png", "bomb"),
            (b"<svg onload='alert(1)'/>", "svg+xml", "drawing"),
            (b"GIF89a", "gif", "short"),
            (broken, "png", "broken"),
        )
    ]
    pages = paginate(doc_of(document(images)), "")
    assert [block["kind"] for block in pages.blocks] == ["missing", "missing", "missing", "image"]
    made = await export(document(images), Format.PDF)
    assert made.startswith(b"%PDF")
    assert b"/Subtype/Image" not in made


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xff", b"RIFFxxxxWEBPVP8 ", b"\xff\xd8"])
def test_measuring_survives_damage(data: bytes) -> None:
    assert measure(data) is None


async def test_nesting_without_end_ends() -> None:
    node = element("paragraph", None, [text_node("deep inside", [])])
    for _ in range(40):
        node = element("bulletList", None, [element("listItem", None, [element("paragraph"), node])])
    pages = paginate(doc_of(document([node])), "")
    depth, blocks = 0, pages.blocks
    while inner := [block for block in blocks if block["kind"] == "bullets"]:
        depth, blocks = depth + 1, inner[0]["items"][0]["blocks"]
    assert depth == MAX_NESTING
    assert (await export(document([node]), Format.PDF)).startswith(b"%PDF")


async def test_spans_that_do_not_fit_are_cut() -> None:
    def cell(columns: int, rows: int) -> Node:
        content_ = [element("paragraph", None, [text_node("x", [])])]
        return element("tableCell", {"colspan": columns, "rowspan": rows}, content_)

    rows = [[cell(1, 9), cell(2, 2)], [cell(3, 1), cell(99, 1)], [], [cell(-1, 0)]]
    table = element("table", None, [element("tableRow", None, row) for row in rows])
    for format in (Format.PDF, Format.DOCX):
        assert await export(document([table]), format)


async def test_a_document_of_plain_text_has_pages() -> None:
    doc: Doc[Any] = Doc()
    text = doc.get("notes", type=Text)
    text += "first line\nsecond line"
    made = await render([doc.get_update()], Format.DOCX, title="")
    assert "second line" in words_of(made)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(valid_document | any_document)
async def test_whatever_a_document_holds_can_be_typeset(node: Node) -> None:
    pages = paginate(doc_of(node), "Any")
    assert await typesetting.typeset(template(), json.dumps(pages.data).encode(), pages.images)
    assert await pandoc.convert(json.dumps(to_pandoc(pages)).encode(), "json", "docx")
    assert all(_kinds(pages.blocks))


def _kinds(blocks: list[Block]) -> list[str]:
    return [str(block["kind"]) for block in blocks] or ["none"]
