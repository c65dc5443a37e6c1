"""Pandoc's document tree (JSON) as ProseMirror JSON: what it makes of HTML and Word documents."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from models.content.schema import (
    MAX_DEPTH,
    ContentError,
    Mark,
    Node,
    document,
    element,
    encodable,
    join,
    text_node,
    tidy_marks,
)
from models.content.urls import safe_image, safe_link
from models.content.validate import validate_prosemirror

MARKS = {
    "Emph": "italic",
    "Strong": "bold",
    "Underline": "underline",
    "Strikeout": "strike",
    "Superscript": "superscript",
    "Subscript": "subscript",
}
BOXES = {"☐": False, "☒": True, "☑": True}
ALIGNMENTS = {"AlignLeft": "left", "AlignCenter": "center", "AlignRight": "right"}
CODE = frozenset({"Code", "Math"})
QUOTES = {"SingleQuote": "‘’", "DoubleQuote": "“”"}

Tree = dict[str, Any]
Resolve = Callable[[str], str | None]
"""The address that an image gets; None where it cannot be kept."""


def from_pandoc(tree: Tree, resolve: Resolve = lambda src: src) -> Node:
    """The document in normal form.

    Raises:
        ContentError: it is nested too deeply, or larger than a document may be.
    """
    try:
        return validate_prosemirror(document(_Reader(resolve).blocks(tree["blocks"], 0)))
    except (KeyError, TypeError, IndexError) as error:
        raise ContentError(f"not a tree of Pandoc's: {error!r}") from error


def title_of(tree: Tree) -> str:
    """The title that the document itself states."""
    stated = tree.get("meta", {}).get("title", {})
    if stated.get("t") != "MetaInlines":
        return ""
    return "".join(node.get("text", " ") for node in _Reader(lambda src: src).inlines(stated["c"], [], 0)).strip()


class _Reader:
    """Reads one document."""

    def __init__(self, resolve: Resolve) -> None:
        self.resolve = resolve

    def blocks(self, trees: list[Tree], depth: int) -> list[Node]:
        if depth > MAX_DEPTH // 2:
            raise ContentError(f"the document is nested deeper than {MAX_DEPTH // 2} levels")
        return [node for tree in trees for node in self._block(tree, depth)]

    def _block(self, tree: Tree, depth: int) -> list[Node]:
        content: Any = tree.get("c")
        match tree["t"]:
            case "Para" | "Plain":
                return self._paragraph(content, "paragraph", depth)
            case "Header":
                return self._paragraph(content[2], "heading", depth, {"level": max(1, min(content[0], 6))})
            case "LineBlock":
                lines = [piece for line in content for piece in (*line, {"t": "LineBreak"})]
                return self._paragraph(lines[:-1], "paragraph", depth)
            case "CodeBlock":
                language = next(iter(content[0][1]), None)
                text = encodable(content[1])
                return [element("codeBlock", {"language": language}, [text_node(text, [])] if text else [])]
            case "BlockQuote":
                return [element("blockquote", None, self.blocks(content, depth + 1) or [element("paragraph")])]
            case "BulletList":
                return list(self._bullets(content, depth))
            case "OrderedList":
                items = [element("listItem", None, self._item(item, depth)) for item in content[1]]
                return [element("orderedList", {"start": content[0][0]}, items)] if items else []
            case "DefinitionList":
                return [node for pair in content for node in self._definition(pair, depth)]
            case "HorizontalRule":
                return [element("horizontalRule")]
            case "Table":
                return self._table(content, depth)
            case "Figure":
                return self.blocks(content[2], depth + 1)
            case "Div":
                return self.blocks(content[1], depth + 1)
        return []  # raw code of other formats

    def _paragraph(self, trees: list[Tree], name: str, depth: int, attrs: dict[str, Any] | None = None) -> list[Node]:
        """Images are blocks, so a paragraph is taken apart around them."""
        pieces = join(list(self.inlines(trees, [], depth)))
        nodes: list[Node] = []
        for is_image, part in groupby(pieces, lambda piece: piece["type"] == "image"):
            found = list(part)
            if is_image:
                nodes += found
            elif any(piece.get("text", "x").strip() for piece in found):
                nodes.append(element(name, attrs, found))
        return nodes or ([] if pieces else [element(name, attrs)])

    def _item(self, trees: list[Tree], depth: int) -> list[Node]:
        content = self.blocks(trees, depth + 1)
        return content if content and content[0]["type"] == "paragraph" else [element("paragraph"), *content]

    def _bullets(self, items: list[list[Tree]], depth: int) -> Iterator[Node]:
        """One list, or several where items with and without a box follow each other."""
        read = [_unboxed(self._item(item, depth)) for item in items]
        for is_task, group in groupby(read, lambda item: item[0] is not None):
            if is_task:
                tasks = [element("taskItem", {"checked": checked}, content) for checked, content in group]
                yield element("taskList", None, tasks)
            else:
                yield element("bulletList", None, [element("listItem", None, content) for _, content in group])

    def _definition(self, pair: list[Any], depth: int) -> Iterator[Node]:
        term, meanings = pair
        yield from self._paragraph([{"t": "Strong", "c": term}], "paragraph", depth)
        for meaning in meanings:
            yield element("blockquote", None, self.blocks(meaning, depth + 1) or [element("paragraph")])

    def _table(self, content: list[Any], depth: int) -> list[Node]:
        _, caption, columns, head, bodies, foot = content
        aligned = [column[0]["t"] for column in columns]
        rows = [(row, True) for row in head[1]]
        for body in bodies:
            rows += [(row, True) for row in body[2]] + [(row, False) for row in body[3]]
        rows += [(row, False) for row in foot[1]]
        made = [element("tableRow", None, self._row(row, is_head, aligned, depth)) for row, is_head in rows]
        made = [row for row in made if row.get("content")]
        return [*self.blocks(caption[1], depth + 1), *([element("table", None, made)] if made else [])]

    def _row(self, row: list[Any], is_head: bool, aligned: list[str], depth: int) -> list[Node]:
        cells = []
        for index, (_, align, rows, columns, blocks) in enumerate(row[1]):
            inherited = aligned[index] if index < len(aligned) else "AlignDefault"
            own = align["t"] if align["t"] != "AlignDefault" else inherited
            attrs = {"colspan": columns, "rowspan": rows, "align": ALIGNMENTS.get(own)}
            content = self.blocks(blocks, depth + 1) or [element("paragraph")]
            cells.append(element("tableHeader" if is_head else "tableCell", attrs, content))
        return cells

    def inlines(self, trees: list[Tree], marks: list[Mark], depth: int) -> Iterator[Node]:
        if depth > MAX_DEPTH:
            raise ContentError(f"text is marked in more than {MAX_DEPTH} ways")
        for tree in trees:
            yield from self._inline(tree, marks, depth + 1)

    def _inline(self, tree: Tree, marks: list[Mark], depth: int) -> Iterator[Node]:
        content: Any = tree.get("c")
        match tree["t"]:
            case "LineBreak":
                yield element("hardBreak")
            case "Link":
                href = safe_link(content[2][0])
                link = [] if href is None else [{"type": "link", "attrs": _link(href, content[2][1])}]
                yield from self.inlines(content[1], marks + link, depth)
            case "Image":
                yield from self._image(content, marks, depth)
            case "Span":
                highlighted = [{"type": "highlight"}] if "mark" in content[0][1] else []
                yield from self.inlines(content[1], marks + highlighted, depth)
            case name if name in MARKS:
                yield from self.inlines(content, [*marks, {"type": MARKS[name]}], depth)
            case _:
                for part in _plain(tree["t"], content):
                    if isinstance(part, list):
                        yield from self.inlines(part, marks, depth)
                    else:
                        yield from _text(part, [*marks, {"type": "code"}] if tree["t"] in CODE else marks)

    def _image(self, content: list[Any], marks: list[Mark], depth: int) -> Iterator[Node]:
        alt = "".join(node.get("text", " ") for node in self.inlines(content[1], [], depth))
        src = self.resolve(content[2][0])
        if safe_image(src) is None:
            yield from _text(alt, marks)
        else:
            yield element("image", {"src": src, "alt": alt or None, "title": content[2][1] or None})


def _plain(name: str, content: Any) -> list[Any]:
    """What an inline that has no mark of its own is made of: texts and further inlines."""
    match name:
        case "Str":
            return [content]
        case "Space" | "SoftBreak":
            return [" "]
        case "Code" | "Math":
            return [content[1]]
        case "Quoted":
            signs = QUOTES[content[0]["t"]]
            return [signs[0], content[1], signs[1]]
        case "Note":
            return [" (", *(block["c"] for block in content if block["t"] in ("Para", "Plain")), ")"]
        case "SmallCaps":
            return [content]
        case "Cite":
            return [content[1]]
    return []  # raw code of other formats


def _unboxed(content: list[Node]) -> tuple[bool | None, list[Node]]:
    """Whether an item is a task that is done, and the item without the box."""
    first = content[0].get("content", [])
    if not first or first[0]["type"] != "text" or first[0]["text"][:1] not in BOXES:
        return None, content
    checked, text = BOXES[first[0]["text"][0]], first[0]["text"][1:].lstrip()
    rest = ([first[0] | {"text": text}] if text else []) + first[1:]
    if not rest and len(content) > 1 and content[1]["type"] == "paragraph":
        return checked, content[1:]  # the box had a paragraph to itself
    return checked, [element("paragraph", None, rest), *content[1:]]


def _link(href: str, title: str) -> dict[str, str]:
    return {"href": href} | ({"title": title} if title else {})


def _text(text: str, marks: list[Mark]) -> list[Node]:
    return [text_node(encodable(text), tidy_marks(marks))] if text else []
