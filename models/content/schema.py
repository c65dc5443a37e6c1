"""The shape of rich text: ProseMirror JSON as Tiptap's StarterKit understands it, checked and in normal form.

Normal form is what every function here takes and gives, so that equal documents are equal JSON: no null
attributes of nodes, no marks on anything but text (Yjs stores neither), marks in a fixed order, neighbouring
texts with the same marks joined, whole numbers as int.
"""

import json
import math
from typing import Any, TypeAlias

from models.errors import Invalid

Node: TypeAlias = dict[str, Any]
Mark: TypeAlias = dict[str, Any]

MAX_DEPTH = 100
SAFE_INTEGER = 2**53  # numbers are JavaScript's; beyond this they are floats

INLINE = frozenset({"text", "hardBreak", "mention", "image"})
LISTS = frozenset({"bulletList", "orderedList", "taskList"})
BLOCK = LISTS | {"paragraph", "heading", "blockquote", "codeBlock", "horizontalRule", "image", "table"}
# What may stand in what. Editors delete a node whose content breaks these rules, for everybody.
CONTENT = {
    "doc": BLOCK,
    "paragraph": INLINE,
    "heading": INLINE,
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "listItem": BLOCK,
    "taskList": frozenset({"taskItem"}),
    "taskItem": BLOCK,
    "blockquote": BLOCK,
    "codeBlock": frozenset({"text"}),
    "table": frozenset({"tableRow"}),
    "tableRow": frozenset({"tableCell", "tableHeader"}),
    "tableCell": BLOCK,
    "tableHeader": BLOCK,
    "horizontalRule": frozenset[str](),
    "hardBreak": frozenset[str](),
    "image": frozenset[str](),
    "mention": frozenset[str](),
}
KNOWN = BLOCK | INLINE | CONTENT.keys()
MAY_BE_EMPTY = INLINE | {"doc", "paragraph", "heading", "codeBlock", "horizontalRule", "tableRow"}
MARK_ORDER = ["link", "bold", "italic", "strike", "underline", "highlight", "subscript", "superscript"]


_encode = json.JSONEncoder(sort_keys=True).encode


class ContentError(Invalid):
    """This is not content Doxie can keep."""


def key(value: Any) -> str:
    """A string equal for equal JSON only (in Python True == 1 == 1.0)."""
    return _encode(value)


def plain(value: Any, depth: int = 0) -> Any:
    """`value` as JSON: whole floats become ints; what JSON cannot say (NaN, bytes) becomes null."""
    if depth > MAX_DEPTH:
        raise ContentError(f"attributes are nested deeper than {MAX_DEPTH} levels")
    match value:
        case None | bool():
            return value
        case str():
            return encodable(value)
        case int() | float():
            return _number(value)
        case list() | tuple():
            return [plain(item, depth + 1) for item in value]
        case dict():
            return {encodable(str(name)): plain(item, depth + 1) for name, item in value.items()}
    return None


def encodable(text: str) -> str:
    """`text`, unless it has half a surrogate pair, which neither Yjs nor UTF-8 can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ContentError("text with a lone surrogate") from None
    return text


def _number(value: float) -> int | float | None:
    if (isinstance(value, int) and value.bit_length() > 1000) or not math.isfinite(value):
        return None
    if abs(value) >= SAFE_INTEGER:
        return float(value)
    return int(value) if value == int(value) else value


def tidy_marks(marks: list[Mark]) -> list[Mark]:
    """Marks without repetitions in their one order: links outside, code inside."""
    if len(marks) < 2:
        return marks
    return [mark for _, mark in sorted({_mark_rank(mark): mark for mark in marks}.items())]


def _mark_rank(mark: Mark) -> tuple[int, str]:
    name = mark["type"]
    rank = MARK_ORDER.index(name) if name in MARK_ORDER else len(MARK_ORDER) + (name == "code")
    return rank, key(mark)


def join(nodes: list[Node]) -> list[Node]:
    """Neighbouring texts with the same marks become one."""
    joined: list[Node] = []
    for node in nodes:
        if joined and node["type"] == "text" == joined[-1]["type"] and same_marks(node, joined[-1]):
            joined[-1] = joined[-1] | {"text": joined[-1]["text"] + node["text"]}
        else:
            joined.append(node)
    return joined


def same_marks(a: Node, b: Node) -> bool:
    """Whether two texts look alike."""
    return key(a.get("marks", [])) == key(b.get("marks", []))


def text_node(text: str, marks: list[Mark]) -> Node:
    """A text in normal form; `marks` must be in normal form already."""
    return {"type": "text", "text": text} | ({"marks": marks} if marks else {})


def element(name: str, attrs: dict[str, Any] | None = None, content: list[Node] | None = None) -> Node:
    """A node in normal form; `content` must be in normal form already."""
    kept = {name: value for name, value in (attrs or {}).items() if value is not None}
    return {"type": name} | ({"attrs": kept} if kept else {}) | ({"content": content} if content else {})


def document(content: list[Node]) -> Node:
    """The node of a whole document."""
    return {"type": "doc", "content": content}


def children(node: Node) -> list[Node]:
    """The content of a node."""
    return node.get("content") or []


def attribute(node: Node, name: str, default: Any = None) -> Any:
    """One attribute of a node."""
    return node.get("attrs", {}).get(name, default)
