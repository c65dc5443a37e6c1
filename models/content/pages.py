"""Rich text as what goes onto pages: simple blocks as JSON data, and the images apart from it.

Nothing of a document is ever program text for a converter: templates read this data. What they would stumble over is
gone from it: unknown nodes, addresses that run or fetch something, spans of cells that do not fit, nesting without end.
"""

import base64
import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from models.content.roots import YDoc, has_blocks, root_texts, shown
from models.content.schema import INLINE, LISTS, Node, attribute, children
from models.content.text import code_of, mention
from models.content.urls import safe_link

MAX_NESTING = 12
"""Typesetters give up on deeper nesting; what is in it moves up."""
MAX_IMAGES = 200
MAX_IMAGE_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_COLUMNS = 40
MARKS = frozenset({"bold", "italic", "strike", "underline", "code", "highlight", "subscript", "superscript"})
DATA = "data:image/"

Block = dict[str, Any]
Piece = dict[str, Any]


@dataclass(slots=True)
class Pages:
    """A document ready for a template."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    """By the name that blocks refer to."""

    @property
    def data(self) -> dict[str, Any]:
        """What a template reads."""
        return {"title": clean(self.title), "blocks": self.blocks}


def paginate(doc: YDoc, title: str) -> Pages:
    """The document; where it has no rich text, its plain texts."""
    pages = Pages(title)
    content = shown(doc)
    if has_blocks(content):
        pages.blocks = _Paginator(pages).blocks(children(content), 0)
        if pages.blocks and _is_title(pages.blocks[0], title):
            pages.blocks = pages.blocks[1:]
    else:
        for text in root_texts(doc).values():
            pages.blocks += [{"kind": "paragraph", "pieces": [_piece(clean(line))]} for line in text.split("\n")]
    return pages


def _is_title(block: Block, title: str) -> bool:
    """Whether a document begins with its own title, which is on the page already."""
    return block["kind"] == "heading" and "".join(piece["text"] for piece in block["pieces"]).strip() == title.strip()


def clean(text: str) -> str:
    """Without control characters, which XML and fonts do not have."""
    return "".join(char for char in text if char in "\t\n" or (char >= " " and char not in "\x7f\ufffe\uffff"))


def without_images(pages: Pages) -> Pages:
    """The same with the images' descriptions in their place."""
    return Pages(pages.title, [_described(block) for block in pages.blocks])


def picture(src: object) -> tuple[str, bytes] | None:
    """Suffix and bytes of an image in a data: address; None where it is none that can be shown."""
    if not isinstance(src, str) or src[: len(DATA)].lower() != DATA or len(src) > MAX_IMAGE_BYTES * 4 // 3 + 100:
        return None
    head, _, body = src.partition(",")
    if not head.lower().endswith(";base64"):
        return None
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return None
    found = measure(data)
    return None if found is None or found[1] * found[2] > MAX_PIXELS else (found[0], data)


def measure(data: bytes) -> tuple[str, int, int] | None:
    """Format, width and height (pixels) of a bitmap, from its own first bytes."""
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return ("png", *struct.unpack(">II", data[16:24]))
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return ("gif", *struct.unpack("<HH", data[6:10]))
        if data[:2] == b"\xff\xd8":
            return ("jpg", *_jpeg(data))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return ("webp", *_webp(data))
    except (struct.error, IndexError, ValueError):
        pass
    return None


def _jpeg(data: bytes) -> tuple[int, int]:
    position = 2
    while True:
        marker, length = struct.unpack(">HH", data[position : position + 4])
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        position += 2 + length


def _webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack("<I", data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = int.from_bytes(data[24:27], "little"), int.from_bytes(data[27:30], "little")
            return width + 1, height + 1
    raise ValueError("an unknown kind of WebP")


class _Paginator:
    """Collects the images of one document on the way through it."""

    def __init__(self, pages: Pages) -> None:
        self.images = pages.images

    def blocks(self, nodes: list[Node], depth: int) -> list[Block]:
        found: list[Block] = []
        inline: list[Node] = []
        for node in nodes:
            if node["type"] in INLINE - {"image"}:
                inline.append(node)
                continue
            found += self._paragraph(inline)
            inline = []
            found += self._block(node, depth)
        return found + self._paragraph(inline)

    def _paragraph(self, nodes: list[Node]) -> list[Block]:
        return [{"kind": "paragraph", "pieces": self.pieces(nodes)}] if nodes else []

    def _block(self, node: Node, depth: int) -> Iterator[Block]:
        name, content = node["type"], children(node)
        if depth >= MAX_NESTING and name in LISTS | {"blockquote", "table"}:
            yield from self._flat(content, depth)
            return
        match name:
            case "paragraph":
                yield from self._mixed(content, {"kind": "paragraph"}, depth)
            case "heading":
                level = attribute(node, "level", 1)
                head = {"kind": "heading", "level": level if level in range(1, 7) else 6}
                yield from self._mixed(content, head, depth)
            case "bulletList" | "orderedList" | "taskList":
                yield self._list(node, depth)
            case "blockquote":
                yield {"kind": "quote", "blocks": self.blocks(content, depth + 1)}
            case "codeBlock":
                language = attribute(node, "language")
                shown = clean(language)[:40] if isinstance(language, str) else ""
                yield {"kind": "code", "language": shown, "text": clean(code_of(node))}
            case "horizontalRule":
                yield {"kind": "rule"}
            case "image":
                yield self._image(node)
            case "table":
                yield from self._table(node, depth)
            case _:
                yield from self.blocks(content, depth)

    def _flat(self, nodes: list[Node], depth: int) -> Iterator[Block]:
        for node in nodes:
            if node["type"] in ("listItem", "taskItem", "tableRow", "tableCell", "tableHeader"):
                yield from self._flat(children(node), depth)
            else:
                yield from self.blocks([node], depth)

    def _mixed(self, nodes: list[Node], block: Block, depth: int) -> Iterator[Block]:
        """A paragraph or heading; what is no inline node (an image in the text) stands after it."""
        inline = [node for node in nodes if node["type"] in INLINE - {"image"}]
        yield block | {"pieces": self.pieces(inline)}
        yield from self.blocks([node for node in nodes if node["type"] not in INLINE - {"image"}], depth)

    def _list(self, node: Node, depth: int) -> Block:
        start = attribute(node, "start", 1)
        items = [
            {
                "checked": attribute(item, "checked") is True,
                "blocks": self.blocks(children(item), depth + 1),
            }
            for item in children(node)
        ]
        kind = {"bulletList": "bullets", "orderedList": "numbers"}.get(node["type"], "tasks")
        return {"kind": kind, "start": start if type(start) is int and 0 <= start < 10**6 else 1, "items": items}

    def _table(self, node: Node, depth: int) -> Iterator[Block]:
        """Cells with the place each has in the grid: typesetters refuse tables that do not fit together."""
        taken: set[tuple[int, int]] = set()
        cells: list[Block] = []
        width = 1
        rows = [row for row in children(node) if row["type"] == "tableRow"]
        for y, row in enumerate(rows):
            x = 0
            for cell in children(row):
                while (x, y) in taken:
                    x += 1
                if x >= MAX_COLUMNS:
                    yield from self.blocks(children(cell), depth + 1)
                    continue
                columns = _span(cell, "colspan", MAX_COLUMNS - x)
                columns = next((free for free in range(columns) if (x + free, y) in taken), columns)
                height = _span(cell, "rowspan", len(rows) - y)
                taken |= {(x + i, y + j) for i in range(columns) for j in range(height)}
                align = attribute(cell, "align")
                cells.append(
                    {
                        "x": x,
                        "y": y,
                        "columns": columns,
                        "rows": height,
                        "header": cell["type"] == "tableHeader",
                        "align": align if align in ("left", "center", "right") else "left",
                        "blocks": self.blocks(children(cell), depth + 1),
                    }
                )
                x += columns
                width = max(width, x)
        if cells:
            empty = [(x, y) for y in range(len(rows)) for x in range(width) if (x, y) not in taken]
            cells += [_empty_cell(x, y) for x, y in empty]
            cells.sort(key=lambda cell: (cell["y"], cell["x"]))
            yield {"kind": "table", "columns": width, "rows": len(rows), "cells": cells}

    def _image(self, node: Node) -> Block:
        src, alt = attribute(node, "src"), clean(str(attribute(node, "alt", "") or ""))
        found = picture(src) if len(self.images) < MAX_IMAGES else None
        if found is None:
            href = safe_link(src)
            linked = href is not None and href.startswith(("http://", "https://"))
            return {"kind": "missing", "text": alt or "image", "href": clean(str(href)) if linked else ""}
        name = f"image-{len(self.images)}.{found[0]}"
        self.images[name] = found[1]
        return {"kind": "image", "name": name, "text": alt}

    def pieces(self, nodes: list[Node]) -> list[Piece]:
        """Inline nodes as stretches of text with their marks."""
        return [piece for node in nodes if (piece := _inline(node))]


def _inline(node: Node) -> Piece | None:
    match node["type"]:
        case "text":
            marks = {mark["type"]: mark.get("attrs", {}) for mark in node.get("marks", [])}
            href = safe_link(marks.get("link", {}).get("href"))
            return _piece(clean(node["text"]), sorted(marks.keys() & MARKS), clean(href or ""))
        case "hardBreak":
            return {"text": "", "marks": [], "href": "", "break": True}
        case "mention":
            return _piece(clean(mention(node)), ["bold"])
    return None


def _piece(text: str, marks: list[str] | None = None, href: str = "") -> Piece:
    return {"text": text, "marks": marks or [], "href": href, "break": False}


def _empty_cell(x: int, y: int) -> Block:
    return {"x": x, "y": y, "columns": 1, "rows": 1, "header": False, "align": "left", "blocks": []}


def _span(cell: Node, name: str, most: int) -> int:
    span = attribute(cell, name, 1)
    return max(1, min(span, most)) if type(span) is int else 1


def _described(block: Block) -> Block:
    if block["kind"] == "image":
        return {"kind": "missing", "text": block["text"] or "image", "href": ""}
    described = dict(block)
    for inner in ("blocks",):
        if inner in block:
            described[inner] = [_described(one) for one in block[inner]]
    for outer in ("items", "cells"):
        if outer in block:
            described[outer] = [item | {"blocks": [_described(one) for one in item["blocks"]]} for item in block[outer]]
    return described
