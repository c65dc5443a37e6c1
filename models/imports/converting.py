"""One thing of an import as a document."""

import base64
import json
import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote

from pycrdt import Doc

from infra import bigstack, pandoc
from infra.sandbox import ConversionFailed
from models import content
from models.content.pages import MAX_PIXELS, measure
from models.content.pandoc_reader import from_pandoc, title_of
from models.content.schema import Node, attribute, children
from models.content.text import of_node
from models.imports.unpacking import MAX_IMAGE_BYTES, BadItem, Kind, check_word, content_of, named, open_zip

MAX_TITLE = 500
MAX_TEXT_BYTES = 8 * 1024 * 1024
MAX_TREE_BYTES = 6 * 1024 * 1024
"""Of Pandoc's JSON, some 100 000 words; it takes twenty-five times as much memory."""
MAX_NESTING = 200
MAX_IMAGES_BYTES = 4 * 1024 * 1024
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements that have no end, or whose end may be left out.
ENDLESS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
    | {"colgroup", "dd", "dt", "li", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr"}
)
CHECKBOX = re.compile(r"<input\b[^<>]*>", re.IGNORECASE)
MEDIA_TYPES = {"png": "png", "jpg": "jpeg", "gif": "gif", "webp": "webp"}


@dataclass(slots=True)
class Converted:
    """A document that is not one yet."""

    title: str
    update: bytes
    """One Yjs v1 update that makes it of an empty document."""
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Gallery:
    """The images that come with a document. They become part of it, as far as they fit."""

    look_up: Callable[[str], bytes | None]
    notes: list[str] = field(default_factory=list)
    bytes: int = 0

    def resolve(self, src: str) -> str | None:
        """The address that an image gets in the document; None: it stays outside."""
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", src):
            return self._own(src) if src.lower().startswith("data:") else src
        data = self.look_up(src)
        found = measure(data) if data else None
        if data is None:
            return self._leave(src, "it is not there")
        if not data:
            return self._leave(src, "it is too large, or damaged")
        if found is None:
            return self._leave(src, "it is no PNG, JPEG, GIF or WebP")
        if found[1] * found[2] > MAX_PIXELS or len(data) > MAX_IMAGE_BYTES:
            return self._leave(src, "it is too large")
        if self.bytes + len(data) > MAX_IMAGES_BYTES:
            return self._leave(src, "the images are too large together")
        self.bytes += len(data)
        return f"data:image/{MEDIA_TYPES[found[0]]};base64,{base64.b64encode(data).decode()}"

    def _own(self, src: str) -> str | None:
        """An image that is in the text already."""
        self.bytes += len(src)
        if len(src) > MAX_IMAGE_BYTES * 4 // 3 + 100 or self.bytes > MAX_IMAGES_BYTES:
            return self._leave(src[:40], "it is too large")
        return src

    def _leave(self, src: str, why: str) -> str | None:
        self.notes.append(f"The image {src[:200]} was left out: {why}.")
        return None


async def convert(path: str, kind: Kind, data: bytes, look_up: Callable[[str], bytes | None]) -> Converted:
    """Make a document of a file; `look_up` finds what lies beside it, by its path from there.

    Raises:
        BadItem: it cannot be converted.
        ContentError: it is no document that could be kept.
    """
    gallery = Gallery(look_up)
    try:
        match kind:
            case Kind.MARKDOWN:
                node = await bigstack.run(content.parse_markdown, _text(data))
                stated, node = "", _with_images(node, gallery)
            case Kind.HTML:
                html = _html(data)
                stated, node = await _through_pandoc(html, "html-native_divs-native_spans", gallery)
            case Kind.DOCX:
                check_word(data)
                gallery.look_up = _word_images(data)
                stated, node = await _through_pandoc(data, "docx", gallery)
            case _:
                raise BadItem("A zip inside a zip is not opened.")
    except ConversionFailed as error:
        raise BadItem(f"It cannot be converted: {error}") from error
    return Converted(_title(stated, node, path), await bigstack.run(_update, node), gallery.notes)


async def _through_pandoc(data: bytes, source: pandoc.Input, gallery: Gallery) -> tuple[str, Node]:
    raw = await pandoc.convert(data, source, "json")
    if len(raw) > MAX_TREE_BYTES:
        raise BadItem("It holds more than can be converted.")
    title, node, notes = await bigstack.run(_read, raw, gallery)
    gallery.notes += notes
    return title, node


def _read(raw: bytes, gallery: Gallery) -> tuple[str, Node, list[str]]:
    """Title, document, and what was left out: what is noted in a child stays there otherwise."""
    try:
        tree = json.loads(raw)
        return title_of(tree), from_pandoc(tree, gallery.resolve), gallery.notes
    except RecursionError:
        raise BadItem("It is nested too deeply.") from None


def beside(archive: zipfile.ZipFile, path: str) -> Callable[[str], bytes | None]:
    """What lies in a zip, found by paths that are relative to one of its files."""

    def look_up(src: str) -> bytes | None:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(src.partition("?")[0])))
        position = named(archive, target)
        return None if position is None else _image(archive, position)

    return look_up


def nothing_beside(_src: str) -> bytes | None:
    """For files that came alone."""
    return None


def _word_images(data: bytes) -> Callable[[str], bytes | None]:
    archive = open_zip(data)

    def look_up(src: str) -> bytes | None:
        position = named(archive, f"word/{src}")
        return None if position is None else _image(archive, position)

    return look_up


def _image(archive: zipfile.ZipFile, position: int) -> bytes:
    """An image; nothing where it is too large or damaged."""
    try:
        return content_of(archive, position, MAX_IMAGE_BYTES)
    except BadItem:
        return b""


def _text(data: bytes) -> str:
    if len(data) > MAX_TEXT_BYTES:
        raise BadItem(f"It is larger than {MAX_TEXT_BYTES} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadItem("It is not UTF-8 text.") from error


def _html(data: bytes) -> bytes:
    """HTML that Pandoc can read in a reasonable time."""
    text = _text(data)
    depth = 0
    for end, name in TAG.findall(text):
        if name.lower() not in ENDLESS:
            depth = max(0, depth - 1) if end else depth + 1
        if depth > MAX_NESTING:
            raise BadItem("It is nested too deeply.")
    return CHECKBOX.sub(_box, text).encode()


def _box(match: re.Match[str]) -> str:
    """A checkbox as a sign: Pandoc forgets lists that have real ones."""
    tag = match[0].lower()
    if "checkbox" not in tag:
        return ""
    return "☒ " if re.search(r"\schecked\b", tag) else "☐ "


def _with_images(node: Node, gallery: Gallery) -> Node:
    """The same with the images that lie beside it."""
    if node["type"] == "image":
        src = gallery.resolve(str(attribute(node, "src", "")))
        if src is None:
            alt = str(attribute(node, "alt") or "")
            text = [{"type": "text", "text": alt}] if alt else []
            return {"type": "paragraph"} | ({"content": text} if text else {})
        return node | {"attrs": node["attrs"] | {"src": src}}
    if not children(node):
        return node
    return node | {"content": [_with_images(child, gallery) for child in children(node)]}


def _title(stated: str, node: Node, path: str) -> str:
    heading = next((child for child in children(node) if child["type"] == "heading"), None)
    first = of_node(heading) if heading is not None and attribute(heading, "level", 1) == 1 else ""
    title = " ".join((stated or first or PurePosixPath(path).stem).replace("\0", "").split())
    return title[:MAX_TITLE] or "Untitled"


def _update(node: Node) -> bytes:
    doc: content.YDoc = Doc()
    content.replace(doc, node)
    return doc.get_update()
