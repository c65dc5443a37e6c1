"""BlockNote's documents as those of Tiptap's StarterKit, which everything that reads rich text knows.

BlockNote keeps `blockGroup > blockContainer > (a block, blockGroup?)`: list items are blocks of their own, and what is
indented below a block is the group beside it. The names are those of its schema, as its editor stores them.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from models.content.schema import Node, attribute, children, document, element, text_node

GROUP = "blockGroup"
CONTAINER = "blockContainer"
ITEMS = {
    "bulletListItem": ("bulletList", "listItem"),
    "toggleListItem": ("bulletList", "listItem"),
    "numberedListItem": ("orderedList", "listItem"),
    "checkListItem": ("taskList", "taskItem"),
}
"""The list that each kind of item is in, and what an item is called there."""
FILES = frozenset({"file", "audio", "video"})


def is_blocknote(content: Node) -> bool:
    """Whether this is a document of BlockNote's."""
    return any(node["type"] == GROUP for node in children(content))


def to_tiptap(content: Node) -> Node:
    """The same for reading: what is indented below anything but a list item follows it. Any other document as it is."""
    return document(_blocks(children(content))) if is_blocknote(content) else content


def _blocks(nodes: list[Node]) -> list[Node]:
    """Siblings; neighbouring items of one kind become a list."""
    found = [block for node in nodes for block in _opened(node)]
    grouped: list[Node] = []
    for kind, some in groupby(found, lambda pair: ITEMS.get(pair[0]["type"], ("", ""))[0]):
        if kind:
            grouped.append(_list(kind, list(some)))
        else:
            grouped += [node for block, below in some for node in (_block(block), *_blocks(below))]
    return grouped


def _opened(node: Node) -> Iterator[tuple[Node, list[Node]]]:
    """The blocks in a node, each with what is indented below it."""
    if node["type"] in (GROUP, "columnList", "column"):
        for child in children(node):
            yield from _opened(child)
    elif node["type"] == CONTAINER:
        block, *below = children(node) or [element("paragraph")]
        yield block, below
    else:
        yield node, []


def _list(kind: str, items: list[tuple[Node, list[Node]]]) -> Node:
    first, _ = items[0]
    attrs = {"start": attribute(first, "start")} if kind == "orderedList" else {}
    return element(kind, attrs, [_item(block, below) for block, below in items])


def _item(block: Node, below: list[Node]) -> Node:
    name = ITEMS[block["type"]][1]
    attrs = {"checked": attribute(block, "checked", False) is True} if name == "taskItem" else {}
    return element(name, attrs, [element("paragraph", None, children(block)), *_blocks(below)])


def _block(block: Node) -> Node:
    name, attrs = block["type"], block.get("attrs", {})
    if name == "quote":
        return element("blockquote", None, [element("paragraph", None, children(block))])
    if name == "divider":
        return element("horizontalRule")
    if name == "image":
        return element("image", {"src": attrs.get("url"), "alt": attrs.get("caption") or attrs.get("name")})
    if name in FILES:
        return element("paragraph", None, _link(attrs))
    if name == "tableParagraph":
        return element("paragraph", None, children(block))
    return element(name, attrs, [_block(child) for child in children(block)]) if children(block) else block


def _link(attrs: dict[str, Any]) -> list[Node]:
    url = str(attrs.get("url") or "")
    words = str(attrs.get("caption") or attrs.get("name") or url)
    return [text_node(words, [{"type": "link", "attrs": {"href": url}}] if url else [])] if words else []
