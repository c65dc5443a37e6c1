"""Markdown into ProseMirror JSON that Tiptap's StarterKit accepts. Raw HTML is text, except <br>."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.rules_core import StateCore
from markdown_it.tree import SyntaxTreeNode

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
from models.content.text import of_node
from models.content.urls import safe_image, safe_link
from models.content.validate import validate_prosemirror

MAX_BRACKETS = 20  # `[` inside `[`, for the inline rules
MAX_REPEATED = 1_000_000  # characters that references to link definitions may add
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
TASK = re.compile(r"\[([ xX])\](?:\s+|\Z)")
ALIGN = re.compile(r"text-align:(left|center|right)")
MARKS = {"strong": "bold", "em": "italic", "s": "strike"}


def parse_markdown(source: str) -> Node:
    """CommonMark with tables, strikethrough and task lists, as ProseMirror JSON in normal form."""
    tokens = _parser().parse(encodable(source))
    if any(token.level >= MAX_DEPTH - 1 for token in tokens):  # past this the parser leaves content out
        raise ContentError(f"Markdown nested deeper than {MAX_DEPTH} levels")
    leaves = (leaf for token in tokens for leaf in token.children or [])
    if sum(len(str(value)) for leaf in leaves for value in leaf.attrs.values()) > len(source) + MAX_REPEATED:
        raise ContentError("Markdown repeats its link references too often")
    return validate_prosemirror(document(_blocks(SyntaxTreeNode(tokens))))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_DEPTH})
    parser.enable(["table", "strikethrough"]).disable("html_block")
    parser.core.ruler.before("inline", "tasks", _mark_tasks)
    parser.normalizeLink = str  # type: ignore[method-assign, assignment]  # addresses stay as they were written
    parser.validateLink = _is_safe  # type: ignore[method-assign]
    return parser


def _is_safe(url: str) -> bool:
    return safe_link(url) is not None or safe_image(url) is not None


def _mark_tasks(state: StateCore) -> None:
    """Takes `[x] ` off the first paragraph of a bullet list's item and notes it on the item."""
    state.md.options["maxNesting"] = MAX_BRACKETS  # blocks are done; brackets cost their depth for each one
    for item, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        bullet = item.type == "list_item_open" and item.markup in ("-", "+", "*")
        if bullet and paragraph.type == "paragraph_open" and (task := TASK.match(inline.content)):
            item.meta["checked"] = task[1] != " "
            inline.content = inline.content[task.end() :]


def _blocks(parent: SyntaxTreeNode) -> list[Node]:
    return [block for node in parent.children for block in BLOCKS[node.type](node)]


def _paragraph(node: SyntaxTreeNode, name: str = "paragraph", attrs: dict[str, Any] | None = None) -> list[Node]:
    """Tiptap's images are blocks, so a paragraph is taken apart around them."""
    content = join([leaf for child in node.children for leaf in _inline(child, [])])
    parts = [(image, list(part)) for image, part in groupby(content, lambda leaf: leaf["type"] == "image")]
    if len(parts) < 2 and not (parts and parts[0][0]):
        return [element(name, attrs, content)]
    trimmed = [(image, part if image else _trim(part)) for image, part in parts]
    blocks = [part if image else [element(name, attrs, part)] for image, part in trimmed if part]
    return [block for part in blocks for block in part]


def _trim(content: list[Node]) -> list[Node]:
    """Without blanks and breaks at the ends, where an image was."""
    for end, strip in ((0, str.lstrip), (-1, str.rstrip)):
        while content and not (text := strip(content[end].get("text", ""))):
            del content[end]
        if content:
            content[end] = content[end] | {"text": text}
    return content


def _inline(node: SyntaxTreeNode, marks: list[Mark]) -> Iterator[Node]:
    match node.type:
        case "text":
            yield from _text(node.content, marks)
        case "code_inline":
            yield from _text(node.content, [*marks, {"type": "code"}])
        case "softbreak":
            yield from _text(" ", marks)
        case "html_inline":
            yield from [element("hardBreak")] if BREAK.fullmatch(node.content) else _text(node.content, marks)
        case "hardbreak":
            yield element("hardBreak")
        case "image":
            yield from _image(node, marks)
        case _:
            marks = marks + _mark(node)
            yield from (leaf for child in node.children for leaf in _inline(child, marks))


def _text(text: str, marks: list[Mark]) -> list[Node]:
    return [text_node(text, tidy_marks(marks))] if text else []


def _mark(node: SyntaxTreeNode) -> list[Mark]:
    if node.type in MARKS:
        return [{"type": MARKS[node.type]}]
    if node.type == "link" and safe_link(node.attrs["href"]) is not None:
        return [{"type": "link", "attrs": dict(node.attrs)}]
    return []


def _image(node: SyntaxTreeNode, marks: list[Mark]) -> list[Node]:
    alt = "".join(of_node(leaf) for child in node.children for leaf in _inline(child, []))
    if safe_image(node.attrs["src"]) is None:
        return _text(alt, marks)
    return [element("image", {**node.attrs, "alt": alt or None})]


def _code(node: SyntaxTreeNode) -> list[Node]:
    language = next(iter(unescapeAll(node.info).split()), None)
    return [element("codeBlock", {"language": language}, _text(node.content.removesuffix("\n"), []))]


def _bullet_list(node: SyntaxTreeNode) -> list[Node]:
    """One list, or several where items with and without a box follow each other."""
    return [
        element("taskList" if tasks else "bulletList", None, [_item(item) for item in items])
        for tasks, items in groupby(node.children, lambda item: "checked" in item.meta)
    ]


def _ordered_list(node: SyntaxTreeNode) -> list[Node]:
    return [element("orderedList", {"start": node.attrs.get("start", 1)}, [_item(item) for item in node.children])]


def _item(node: SyntaxTreeNode) -> Node:
    content = _blocks(node)
    if not content or content[0]["type"] != "paragraph":
        content = [element("paragraph"), *content]
    return element("taskItem" if "checked" in node.meta else "listItem", node.meta, content)


def _table(node: SyntaxTreeNode) -> list[Node]:
    rows = [row for part in node.children for row in part.children]
    return [element("table", None, [element("tableRow", None, [_cell(cell) for cell in row.children]) for row in rows])]


def _cell(node: SyntaxTreeNode) -> Node:
    align = ALIGN.match(str(node.attrs.get("style", "")))
    attrs = {"colspan": 1, "rowspan": 1, "align": align[1] if align else None}
    return element("tableHeader" if node.type == "th" else "tableCell", attrs, _paragraph(node))


BLOCKS: dict[str, Callable[[SyntaxTreeNode], list[Node]]] = {
    "paragraph": _paragraph,
    "heading": lambda node: _paragraph(node, "heading", {"level": int(node.tag[1])}),
    "blockquote": lambda node: [element("blockquote", None, _blocks(node) or [element("paragraph")])],
    "bullet_list": _bullet_list,
    "ordered_list": _ordered_list,
    "fence": _code,
    "code_block": _code,
    "hr": lambda _: [element("horizontalRule")],
    "table": _table,
}
