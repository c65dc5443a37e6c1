"""Yjs XmlFragment <-> ProseMirror JSON, laid out as y-prosemirror does it.

A node is an XmlElement, its attributes the element's (null is not stored), neighbouring text nodes are one
XmlText, and marks are formatting of that text: {name: attrs}. Marks that may overlap themselves (comments)
are stored as `name--hash`, so that two of them can lie on one character.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable
from itertools import groupby
from typing import Any, TypeAlias

from pycrdt import XmlElement, XmlFragment, XmlText

from models.content.schema import (
    MAX_DEPTH,
    ContentError,
    Mark,
    Node,
    element,
    join,
    key,
    plain,
    text_node,
    tidy_marks,
)

Parent: TypeAlias = XmlFragment | XmlElement
Child: TypeAlias = XmlFragment | XmlElement | XmlText
Run: TypeAlias = tuple[str, dict[str, Any]]  # text and its formatting, as Yjs has it

HASHED = re.compile(r"(.*)--[a-zA-Z0-9+/=]{8}", re.DOTALL)


def read(parent: Parent, depth: int = 0) -> list[Node]:
    """The children of `parent` as ProseMirror nodes; raises ContentError for a tree nested too deeply."""
    return read_nodes(parent.children, depth)


def read_nodes(children: Iterable[Child], depth: int = 0) -> list[Node]:
    """Like `read`, for some children of a node."""
    if depth > MAX_DEPTH:
        raise ContentError(f"the document is nested deeper than {MAX_DEPTH} levels")
    return join([node for child in children for node in _read(child, depth)])


def _read(child: Child, depth: int) -> list[Node]:
    match child:
        case XmlText():
            return [text_node(text, marks_of(attrs)) for text, attrs in runs(child)]
        case XmlElement() if child.tag not in (None, "text"):
            return [element(str(child.tag), attributes(child), read(child, depth + 1))]
    return []  # nested fragments and elements called "text" mean nothing to an editor either


def runs(text: XmlText) -> list[Run]:
    """Stretches of equal formatting; embedded objects, which ProseMirror does not have, are left out."""
    return [(run, attrs or {}) for run, attrs in text.diff() if isinstance(run, str)]


def attributes(node: XmlElement) -> dict[str, Any]:
    """The attributes of an element as JSON."""
    pairs: Iterable[tuple[str, Any]] = node.attributes.__iter__()  # declared as if it could not be iterated
    return {name: plain(value) for name, value in pairs if value is not None}


def marks_of(formatting: dict[str, Any]) -> list[Mark]:
    """The marks of a run of text, in normal form."""
    return tidy_marks([mark_of(name, value) for name, value in formatting.items() if value is not None])


def mark_of(name: str, value: Any) -> Mark:
    """The mark that one entry of Yjs formatting stands for."""
    hashed = HASHED.fullmatch(name)
    attrs = plain(value) if isinstance(value, dict) else {}
    return {"type": hashed[1] if hashed else name} | ({"attrs": attrs} if attrs else {})


def formatting(marks: list[Mark], current: dict[str, Any] | None = None) -> dict[str, Any]:
    """The change of formatting that turns a run formatted as `current` into one with exactly `marks`."""
    have = {name: mark_of(name, value) for name, value in (current or {}).items() if value is not None}
    wanted, kept = {key(mark) for mark in marks}, {key(mark) for mark in have.values()}
    overlapping = {mark["type"] for name, mark in have.items() if name != mark["type"]}
    names = [mark["type"] for mark in marks]
    change: dict[str, Any] = {name: None for name, mark in have.items() if key(mark) not in wanted}
    for mark in marks:
        if key(mark) not in kept:
            hashed = mark["type"] in overlapping or names.count(mark["type"]) > 1
            change[_hashed(mark) if hashed else mark["type"]] = mark.get("attrs", {})
    return change


def _hashed(mark: Mark) -> str:
    """Any hash will do as long as equal marks get equal names: editors cut it off without looking at it."""
    digest = hashlib.sha256(key(mark).encode()).digest()
    return f"{mark['type']}--{b64encode(digest[:6]).decode()}"


def units(nodes: list[Node]) -> list[list[Node]]:
    """Nodes as Yjs keeps them: each element by itself, neighbouring texts together."""
    grouped = groupby(enumerate(nodes), lambda item: -1 if item[1]["type"] == "text" else item[0])
    return [[node for _, node in group] for _, group in grouped]


def insert(parent: Parent, index: int, nodes: list[Node]) -> None:
    """Inserts `nodes` before the child at `index`; needs an open transaction to be one update."""
    for offset, unit in enumerate(units(nodes)):
        if unit[0]["type"] == "text":
            text = parent.children.insert(index + offset, XmlText(""))
            for node in unit:
                text.insert(len(text), node["text"], formatting(node.get("marks", [])))
        else:
            child = parent.children.insert(index + offset, XmlElement(unit[0]["type"]))
            for name, value in unit[0].get("attrs", {}).items():
                child.attributes[name] = value
            insert(child, 0, unit[0].get("content", []))
