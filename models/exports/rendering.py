"""A document in each format it can be exported to. The same document gives the same bytes."""

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path

from infra import bigstack, pandoc, typesetting
from infra.sandbox import ConversionFailed
from models import content
from models.content.pages import Pages, paginate, without_images
from models.content.pandoc import to_pandoc
from models.documents import crdt
from models.errors import Invalid
from models.exports.standalone import to_page


class Format(StrEnum):
    """What a document can be exported to."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    """ProseMirror."""
    YJS = "yjs"
    """One Yjs v1 update."""
    PDF = "pdf"
    DOCX = "docx"


class CannotConvert(Invalid):
    """The document cannot be converted to this format."""


MEDIA_TYPES = {
    Format.MARKDOWN: "text/markdown; charset=utf-8",
    Format.HTML: "text/html; charset=utf-8",
    Format.JSON: "application/json",
    Format.YJS: "application/octet-stream",
    Format.PDF: "application/pdf",
    Format.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
TEMPLATES = Path(__file__).parent / "templates"
STYLES = TEMPLATES / "reference.docx"
"""What Word documents look like: Pandoc's own reference, with borders and a header row in its style `Table`, a line
beside `Block Text`, and a background behind `Source Code`. Change it in a word processor."""

SUFFIXES = {
    Format.MARKDOWN: "md",
    Format.HTML: "html",
    Format.JSON: "json",
    Format.YJS: "yjs",
    Format.PDF: "pdf",
    Format.DOCX: "docx",
}


def to_json(doc: crdt.YDoc) -> str:
    """ProseMirror JSON, with its keys in order."""
    return json.dumps(content.to_prosemirror(doc), ensure_ascii=False, sort_keys=True)


_TEXTS: dict[Format, Callable[[crdt.YDoc, str], str]] = {
    Format.MARKDOWN: lambda doc, _title: content.to_markdown(doc),
    Format.HTML: to_page,
    Format.JSON: lambda doc, _title: to_json(doc),
}


async def render(updates: Sequence[bytes], format: Format, *, title: str) -> bytes:
    """A document, given as the updates that make it.

    Raises:
        CannotConvert: a converter gave up.
    """
    try:
        match format:
            case Format.PDF:
                return await to_pdf(await bigstack.run(_pages, updates, title))
            case Format.DOCX:
                return await to_docx(await bigstack.run(_pages, updates, title))
            case Format.YJS:
                return await bigstack.run(lambda: crdt.encode(crdt.build(updates), updates))
            case _:
                return (await bigstack.run(lambda: _TEXTS[format](crdt.build(updates), title))).encode()
    except ConversionFailed as error:
        raise CannotConvert(f"The document cannot be converted to {format}: {error}") from error


async def to_pdf(pages: Pages) -> bytes:
    """Pages as PDF. An image that is damaged must not cost the whole document: then all are left out.

    Raises:
        ConversionFailed: it takes too much.
    """
    try:
        return await typesetting.typeset(template(), _data(pages), pages.images)
    except ConversionFailed:
        if not pages.images:
            raise
        return await typesetting.typeset(template(), _data(without_images(pages)), {})


async def to_docx(pages: Pages) -> bytes:
    """Pages as a Word document.

    Raises:
        ConversionFailed: it takes too much.
    """
    return await pandoc.convert(json.dumps(to_pandoc(pages)).encode(), "json", "docx", reference=STYLES)


@cache
def template() -> str:
    """What pages look like."""
    return (TEMPLATES / "page.typ").read_text()


def _data(pages: Pages) -> bytes:
    return json.dumps(pages.data, ensure_ascii=False).encode()


def _pages(updates: Sequence[bytes], title: str) -> Pages:
    return paginate(crdt.build(updates), title)
