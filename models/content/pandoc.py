"""Pages as Pandoc's document tree (JSON), which it makes Word documents of."""

import base64
import re
from collections.abc import Iterator
from typing import Any

from models.content.pages import Block, Pages, Piece, measure

VERSION = [1, 23, 1]
NO_ATTR: list[Any] = ["", [], []]
ALIGNMENTS = {"left": "AlignLeft", "center": "AlignCenter", "right": "AlignRight"}
WORDS = re.compile(r"[ \t\n]+|[^ \t\n]+")
WRAPPED = {"bold": "Strong", "italic": "Emph", "strike": "Strikeout", "underline": "Underline"} | {
    "subscript": "Subscript",
    "superscript": "Superscript",
}
MEDIA_TYPES = {"png": "png", "jpg": "jpeg", "gif": "gif", "webp": "webp"}
INCH_PIXELS = 96
WIDE_INCHES = 6.2

Tree = dict[str, Any]


def to_pandoc(pages: Pages) -> Tree:
    """The tree of a whole document. Images are in it, so that nothing has to be fetched."""
    writer = _Writer(pages)
    blocks = writer.blocks(pages.blocks)
    meta = {"title": {"t": "MetaInlines", "c": _words(pages.data["title"])}} if pages.title else {}
    return {"pandoc-api-version": VERSION, "meta": meta, "blocks": blocks}


class _Writer:
    """Writes the blocks of one document."""

    def __init__(self, pages: Pages) -> None:
        self.images = pages.images

    def blocks(self, blocks: list[Block], tight: bool = False) -> list[Tree]:
        return [tree for block in blocks for tree in self._block(block, tight)]

    def _block(self, block: Block, tight: bool) -> Iterator[Tree]:
        match block["kind"]:
            case "paragraph":
                yield _node("Plain" if tight else "Para", _inlines(block["pieces"]))
            case "heading":
                yield _node("Header", [block["level"], NO_ATTR, _inlines(block["pieces"])])
            case "bullets":
                yield _node("BulletList", [self._item(item["blocks"]) for item in block["items"]])
            case "tasks":
                yield _node("BulletList", [self._task(item) for item in block["items"]])
            case "numbers":
                style = [block["start"], {"t": "Decimal"}, {"t": "Period"}]
                yield _node("OrderedList", [style, [self._item(item["blocks"]) for item in block["items"]]])
            case "quote":
                yield _node("BlockQuote", self.blocks(block["blocks"]))
            case "code":
                classes = [block["language"]] if re.fullmatch(r"[\w+#.-]+", block["language"]) else []
                yield _node("CodeBlock", [["", classes, []], block["text"]])
            case "rule":
                yield {"t": "HorizontalRule"}
            case "image":
                yield _node("Para", [self._image(block)])
            case "missing":
                yield _node("Para", _linked(block["href"], _words(f"🖼 {block['text']}")))
            case "table":
                yield self._table(block)

    def _item(self, blocks: list[Block]) -> list[Tree]:
        tight = all(block["kind"] in ("paragraph", "bullets", "numbers", "tasks") for block in blocks)
        return self.blocks(blocks, tight and sum(block["kind"] == "paragraph" for block in blocks) < 2)

    def _task(self, item: Block) -> list[Tree]:
        box: list[Tree] = [_node("Str", "☒" if item["checked"] else "☐"), {"t": "Space"}]
        first, *rest = self._item(item["blocks"]) or [_node("Plain", [])]
        if first["t"] in ("Plain", "Para"):
            return [first | {"c": [*box, *first["c"]]}, *rest]
        return [_node("Plain", box), first, *rest]

    def _image(self, block: Block) -> Tree:
        name, data = block["name"], self.images[block["name"]]
        address = f"data:image/{MEDIA_TYPES[name.rpartition('.')[2]]};base64,{base64.b64encode(data).decode()}"
        attributes = []
        if _width(data) > WIDE_INCHES:
            attributes = [["width", f"{WIDE_INCHES}in"]]
        return _node("Image", [["", [], attributes], _words(block["text"]), [address, ""]])

    def _table(self, block: Block) -> Tree:
        rows: list[list[Tree]] = [[] for _ in range(block["rows"])]
        for cell in block["cells"]:
            rows[cell["y"]].append(cell)
        is_head = bool(rows[0]) and all(cell["header"] and cell["rows"] == 1 for cell in rows[0])
        head, body = (rows[:1], rows[1:]) if is_head else ([], rows)
        columns = [[{"t": "AlignDefault"}, {"t": "ColWidthDefault"}]] * block["columns"]
        return _node(
            "Table",
            [
                ["", [], [["custom-style", "Table"]]],
                [None, []],
                columns,
                [NO_ATTR, [self._row(row) for row in head]],
                [[NO_ATTR, 0, [], [self._row(row) for row in body]]],
                [NO_ATTR, []],
            ],
        )

    def _row(self, row: list[Block]) -> list[Any]:
        cells = [
            [NO_ATTR, {"t": ALIGNMENTS[cell["align"]]}, cell["rows"], cell["columns"], self._item(cell["blocks"])]
            for cell in row
        ]
        return [NO_ATTR, cells]


def _width(data: bytes) -> float:
    """Inches that an image would take."""
    found = measure(data)
    return found[1] / INCH_PIXELS if found else 0


def _inlines(pieces: list[Piece]) -> list[Tree]:
    return [tree for piece in pieces for tree in _inline(piece)]


def _inline(piece: Piece) -> list[Tree]:
    if piece["break"]:
        return [{"t": "LineBreak"}]
    marks = piece["marks"]
    trees = [_node("Code", [NO_ATTR, piece["text"]])] if "code" in marks else _words(piece["text"])
    for mark, name in WRAPPED.items():
        if mark in marks:
            trees = [_node(name, trees)]
    if "highlight" in marks:
        trees = [_node("Span", [["", ["mark"], []], trees])]
    return _linked(piece["href"], trees)


def _linked(href: str, trees: list[Tree]) -> list[Tree]:
    return [_node("Link", [NO_ATTR, trees, [href, ""]])] if href else trees


def _words(text: str) -> list[Tree]:
    return [{"t": "Space"} if word.isspace() else _node("Str", word) for word in WORDS.findall(text)]


def _node(name: str, content: Any) -> Tree:
    return {"t": name, "c": content}
