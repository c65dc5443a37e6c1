"""Foreign JSON into ProseMirror JSON in normal form, or a ContentError that names the place."""

from collections.abc import Iterator
from typing import Any

from models.content.schema import (
    CONTENT,
    KNOWN,
    MAX_DEPTH,
    MAY_BE_EMPTY,
    ContentError,
    Mark,
    Node,
    attribute,
    children,
    document,
    element,
    join,
    plain,
    text_node,
    tidy_marks,
)

MAX_NODES = 100_000


def normalize(value: object) -> Node:
    """ProseMirror JSON of a whole document in normal form; raises ContentError where it has no such shape."""
    node = _Normalizer().node(value, "$", 0)
    if node["type"] != "doc":
        raise ContentError(f"$.type: expected 'doc', found {node['type']!r}")
    return document(children(node))


class _Normalizer:
    """Counts the nodes of one document while it puts them in normal form."""

    def __init__(self) -> None:
        self.nodes = 0

    def node(self, value: object, path: str, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ContentError(f"{path}: more than {MAX_NODES} nodes")
        if depth > MAX_DEPTH:
            raise ContentError(f"{path}: nested deeper than {MAX_DEPTH} levels")
        name = _type_of(value, path)
        assert isinstance(value, dict)
        if name == "text":
            return text_node(_text_of(value, path), _marks_of(value, path))
        content = [
            self.node(child, f"{path}.content[{index}]", depth + 1)
            for index, child in enumerate(_items(value, "content", path))
        ]
        return element(name, _attrs_of(value, path), join(content))


def _type_of(value: object, path: str) -> str:
    if not isinstance(value, dict):
        raise ContentError(f"{path}: expected an object")
    name = value.get("type")
    if not isinstance(name, str) or not name:
        raise ContentError(f"{path}.type: expected a name")
    return str(_at(f"{path}.type", name))


def _text_of(value: Node, path: str) -> str:
    text = value.get("text")
    if not isinstance(text, str) or not text:
        raise ContentError(f"{path}.text: expected a text that is not empty")
    return str(_at(f"{path}.text", text))


def _attrs_of(value: Node, path: str) -> dict[str, Any]:
    attrs = {} if value.get("attrs") is None else value["attrs"]
    if not isinstance(attrs, dict):
        raise ContentError(f"{path}.attrs: expected an object")
    return dict(_at(f"{path}.attrs", attrs))


def _marks_of(value: Node, path: str) -> list[Mark]:
    marks = []
    for index, mark in enumerate(_items(value, "marks", path)):
        where = f"{path}.marks[{index}]"
        attrs = _attrs_of(mark, where) if isinstance(mark, dict) else {}
        marks.append({"type": _type_of(mark, where)} | ({"attrs": attrs} if attrs else {}))
    return tidy_marks(marks)


def _items(value: Node, name: str, path: str) -> list[object]:
    items = [] if value.get(name) is None else value[name]
    if not isinstance(items, list):
        raise ContentError(f"{path}.{name}: expected a list")
    return items


def _at(path: str, value: Any) -> Any:
    try:
        return plain(value)
    except ContentError as error:
        raise ContentError(f"{path}: {error}") from None


def validate_prosemirror(value: object) -> Node:
    """Like `normalize`, and what StarterKit knows stands only where StarterKit allows it."""
    node = normalize(value)
    for problem in _problems(node, "$"):
        raise ContentError(problem)
    return node


def _problems(node: Node, path: str) -> Iterator[str]:
    name, content = node["type"], children(node)
    if name in CONTENT:
        if not content and name not in MAY_BE_EMPTY:
            yield f"{path}: {name} must not be empty"
        if name in ("listItem", "taskItem") and content and content[0]["type"] in KNOWN - {"paragraph"}:
            yield f"{path}.content[0]: {name} must start with a paragraph"
        if name == "heading" and attribute(node, "level", 1) not in range(1, 7):
            yield f"{path}.attrs.level: expected 1 to 6"
        yield from _misplaced(node, path)
    for index, child in enumerate(content):
        yield from _problems(child, f"{path}.content[{index}]")


def _misplaced(node: Node, path: str) -> Iterator[str]:
    allowed = CONTENT[node["type"]]
    for index, child in enumerate(children(node)):
        where, name = f"{path}.content[{index}]", child["type"]
        if name not in allowed and (name in KNOWN or node["type"] == "codeBlock"):
            yield f"{where}: {name} is not allowed in {node['type']}"
        if node["type"] == "codeBlock" and "marks" in child:
            yield f"{where}.marks: not allowed in codeBlock"
