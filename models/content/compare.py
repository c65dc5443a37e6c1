"""What changed between two rich texts: both in one tree, with marks for what came and what went.

A text or node with the mark `insertion` is only in the new document, with `deletion` only in the old one; their
attribute `move` is the same number for a block that went here and came there, else null. A node with the mark
`modification` is in both, and had the attributes `before`. Ours are the last marks of a node, and only ours have
these attributes. So `accepted` gives the new document and `rejected` the old one.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import count, groupby
from typing import Any

from models.content.align import Unit, pairs
from models.content.diff import WORDS, Change, changes
from models.content.schema import Mark, Node, children, document, element, join, key, text_node

INSERTION, DELETION, MODIFICATION = "insertion", "deletion", "modification"
ALIKE = 0.3
"""Blocks that share fewer of their words were not edited, but replaced."""
SMALL = 4
"""A block of fewer words may change all of them."""


def compare(old: Node, new: Node) -> Node:
    """Both documents (in normal form) as one; see the module for its marks."""
    merged = _merged(children(old), children(new))
    _number_moves(merged)
    return document(merged)


def accepted(merged: Node) -> Node:
    """The new document of a comparison."""
    return document(_chosen(children(merged), DELETION))


def rejected(merged: Node) -> Node:
    """The old document of a comparison."""
    return document(_chosen(children(merged), INSERTION))


def change_of(node: Node) -> Mark | None:
    """The mark that a comparison put on a node."""
    marks = node.get("marks")
    if not marks:
        return None
    attrs = marks[-1].get("attrs", {})
    ours = {INSERTION: "move", DELETION: "move", MODIFICATION: "before"}.get(marks[-1]["type"])
    return marks[-1] if ours in attrs else None


def _merged(old: list[Node], new: list[Node]) -> list[Node]:
    a, b = _tokens(old), _tokens(new)
    merged: list[Node] = []
    kept = 0
    for change in changes([key(token) for token in a], [key(token) for token in b]):
        merged += a[kept : change.start]
        merged += _changed(a, b, change)
        kept = change.stop
    return join(merged + a[kept:])


def _tokens(nodes: list[Node]) -> list[Node]:
    """The nodes with their texts cut into words."""
    tokens: list[Node] = []
    for node in nodes:
        if node["type"] == "text":
            tokens += [text_node(word, node.get("marks", [])) for word in WORDS.findall(node["text"])]
        else:
            tokens.append(node)
    return tokens


def _changed(a: list[Node], b: list[Node], change: Change) -> Iterator[Node]:
    old, new = a[change.start : change.stop], b[change.new_start : change.new_stop]
    for before, after in pairs(_units(old), _units(new)):
        if before is not None and after is not None and _is_edited(before, after):
            yield _edited(before.nodes[0], after.nodes[0])
            continue
        yield from (_marked(node, DELETION) for node in (before.nodes if before else []))
        yield from (_marked(node, INSERTION) for node in (after.nodes if after else []))


def _units(tokens: list[Node]) -> list[Unit]:
    """Neighbouring words together, and each other node by itself."""
    grouped = groupby(enumerate(tokens), lambda item: -1 if item[1]["type"] == "text" else item[0])
    return [Unit([node for _, node in group]) for _, group in grouped]


def _is_edited(before: Unit, after: Unit) -> bool:
    """Whether it is better shown as one node with changes in it than as two."""
    if before.kind == "text" or not (children(before.nodes[0]) or children(after.nodes[0])):
        return False
    words = [Counter(WORDS.findall(unit.text)) for unit in (before, after)]
    if min(counter.total() for counter in words) < SMALL:
        return True
    return (words[0] & words[1]).total() >= ALIKE * max(counter.total() for counter in words)


def _edited(before: Node, after: Node) -> Node:
    old, new = before.get("attrs", {}), after.get("attrs", {})
    node = element(after["type"], new, _merged(children(before), children(after)))
    return node if key(old) == key(new) else _with(node, {"type": MODIFICATION, "attrs": {"before": old}})


def _marked(node: Node, change: str, move: int | None = None) -> Node:
    return _with(node, {"type": change, "attrs": {"move": move}})


def _with(node: Node, mark: Mark) -> Node:
    return node | {"marks": [*node.get("marks", []), mark]}


def _number_moves(merged: list[Node]) -> None:
    """Give a deleted and an inserted block of the same content the same number."""
    blocks = [(change["type"], node) for node in _blocks(merged) if (change := change_of(node))]
    gone: dict[str, list[Node]] = {}
    for kind, node in blocks:
        if kind == DELETION:
            gone.setdefault(key(_bare(node)), []).append(node)
    numbers = count(1)
    for kind, node in blocks:
        if kind == INSERTION and (matches := gone.get(key(_bare(node)))):
            number = next(numbers)
            for moved in (matches.pop(0), node):
                moved["marks"][-1]["attrs"]["move"] = number


def _blocks(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        if node["type"] != "text" and children(node):
            yield node
            yield from _blocks(children(node))


def _chosen(nodes: list[Node], unwanted: str) -> list[Node]:
    return join([_settled(node, unwanted) for node in nodes if (change_of(node) or {}).get("type") != unwanted])


def _settled(node: Node, unwanted: str) -> Node:
    """A node without our mark, as it is on one side."""
    change = change_of(node)
    bare = node if change is None else _bare(node)
    if bare["type"] == "text" or (change and change["type"] != MODIFICATION):
        return bare
    attrs: dict[str, Any] = bare.get("attrs", {})
    if change is not None and unwanted == INSERTION:
        attrs = change["attrs"]["before"]
    return element(bare["type"], attrs, _chosen(children(bare), unwanted))


def _bare(node: Node) -> Node:
    marks = node["marks"][:-1]
    bare = {name: value for name, value in node.items() if name != "marks"}
    return bare | {"marks": marks} if marks else bare
