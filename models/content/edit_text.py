"""Minimal edits of texts: what stays the same is not touched.

pycrdt counts in bytes of UTF-8, neither in code points nor in UTF-16, whatever its peers do. An index inside
a character is moved to the character's end.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pycrdt import Text, XmlText

from models.content.diff import Change, text_changes
from models.content.prosemirror import Run, formatting, runs
from models.content.schema import ContentError, Mark, Node, encodable


def replace_text(root: Text, target: str) -> None:
    """Turns a plain-text root into `target` in one transaction."""
    with root.doc.transaction():
        old, new = str(root), encodable(target)
        if len(root) != _size(old):
            raise ContentError("a text with embedded objects cannot be replaced")
        for change in reversed(list(text_changes(old, new))):
            _splice(root, old, new, change)


def replace_runs(tree: XmlText, target: list[Node]) -> None:
    """Turns the text of a rich node into `target`, text nodes in normal form."""
    before = runs(tree)
    old, new = _string(tree), "".join(node["text"] for node in target)
    for change in reversed(list(text_changes(old, new))):
        _splice(tree, old, new, change, _formatting_at(before, change))
    start = 0
    for text, current, marks in _overlay(runs(tree), target):
        stop = start + _size(text)
        if difference := formatting(marks, current):
            tree.format(start, stop, difference)
        start = stop


def _formatting_at(before: list[Run], change: Change) -> dict[str, Any]:
    """What an insertion takes over, so that typing inside bold text costs no formatting."""
    position = change.start - (change.start == change.stop)
    for text, attrs in before:
        position -= len(text)
        if position < 0:
            return attrs
    return {}


def _overlay(current: list[Run], target: list[Node]) -> Iterator[tuple[str, dict[str, Any], list[Mark]]]:
    """Stretches of one and the same text with their formatting now and the marks they shall have."""
    now = ((char, index) for index, (text, _) in enumerate(current) for char in text)
    then = (index for index, node in enumerate(target) for _ in node["text"])
    stretches = groupby(zip(now, then, strict=True), lambda item: (item[0][1], item[1]))
    for (here, there), chars in stretches:
        yield "".join(char for (char, _), _ in chars), current[here][1], target[there].get("marks", [])


def is_editable(tree: XmlText) -> bool:
    """Whether its indexes are those of its text: an embedded object shifts them."""
    return len(tree) == _size(_string(tree))


def _splice(tree: Text | XmlText, old: str, new: str, change: Change, attrs: dict[str, Any] | None = None) -> None:
    start = _size(old[: change.start])
    if change.stop > change.start:
        del tree[start : start + _size(old[change.start : change.stop])]
    if change.new_stop > change.new_start:
        tree.insert(start, new[change.new_start : change.new_stop], attrs)


def _size(text: str) -> int:
    return len(text.encode())


def _string(tree: XmlText) -> str:
    return "".join(text for text, _ in runs(tree))
