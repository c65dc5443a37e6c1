"""Minimal forward edits: a document becomes its target by touching only what differs, so that cursors in and
concurrent edits of everything else survive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product
from typing import Any, TypeAlias

from pycrdt import Text, XmlElement, XmlText

from models.content import prosemirror
from models.content.diff import Change, changes, common_prefix, text_changes
from models.content.prosemirror import Child, Parent, Run, formatting, runs
from models.content.roots import YDoc, fragment
from models.content.schema import ContentError, Mark, Node, children, encodable, key
from models.content.text import of_nodes
from models.content.validate import normalize

PAIRED = 100  # siblings compared with each other to find which became which; the cost grows with its square


Pair: TypeAlias = "tuple[Unit | None, Unit | None]"


@dataclass
class Unit:
    """One thing between two siblings: an element, or neighbouring texts, which an editor sees as one."""

    nodes: list[Node]
    trees: tuple[Child, ...] = ()  # what of the Yjs tree it is; nothing for a target
    index: int = 0

    @cached_property
    def key(self) -> str:
        """Equal for equal content."""
        return key(self.nodes)

    @cached_property
    def kind(self) -> str:
        """Only units of one kind can become each other."""
        return str(self.nodes[0]["type"]) if self.nodes else "text"

    @cached_property
    def text(self) -> str:
        """What it shows, to see how alike two units are."""
        return of_nodes(self.nodes)


def replace(doc: YDoc, target: Node) -> None:
    """Turns the rich text of `doc` into `target` in one transaction."""
    content = children(normalize(target))
    with doc.transaction():
        _replace_children(fragment(doc), content)


def replace_text(root: Text, target: str) -> None:
    """Turns a plain-text root into `target` in one transaction."""
    with root.doc.transaction():
        old, new = str(root), encodable(target)
        if len(root) != _size(old):
            raise ContentError("a text with embedded objects cannot be replaced")
        for change in reversed(list(text_changes(old, new))):
            _splice(root, old, new, change)


def _replace_children(parent: Parent, target: list[Node]) -> None:
    trees = list(parent.children)
    prosemirror.read_nodes(trees)  # refuses trees so deep that deleting them would overflow the stack
    if len(trees) != len(parent.children):  # a type no editor knows hides what follows it
        del parent.children[:]
        trees = []
    old, new = _units(trees), [Unit(unit) for unit in prosemirror.units(target)]
    for change in reversed(changes([unit.key for unit in old], [unit.key for unit in new])):
        _replace_units(parent, old[: change.stop], change, new[change.new_start : change.new_stop])


def _units(trees: Sequence[Child]) -> list[Unit]:
    units: list[Unit] = []
    for index, tree in enumerate(trees):
        if isinstance(tree, XmlText) and units and isinstance(units[-1].trees[-1], XmlText):
            before = units.pop()
            together = (*before.trees, tree)
            units.append(Unit(prosemirror.read_nodes(together), together, before.index))
        else:
            units.append(Unit(prosemirror.read_nodes([tree]), (tree,), index))
    return units


def _replace_units(parent: Parent, old: list[Unit], change: Change, new: list[Unit]) -> None:
    """Works from the end, so that the indexes of what comes before stay right."""
    end = old[-1].index + len(old[-1].trees) if old else 0
    for before, after in reversed(list(_pairs(old[change.start :], new))):
        if before is None:
            assert after is not None
            prosemirror.insert(parent, end, after.nodes)
            continue
        if after is not None:
            _update(parent, before, after)
        elif before.nodes or not isinstance(before.trees[0], XmlText):  # an empty text is in nobody's way
            del parent.children[before.index : end]
        end = before.index


def _pairs(old: list[Unit], new: list[Unit]) -> Iterator[Pair]:
    """Which old unit becomes which new one: the alignment, in order, that keeps the most text."""
    for start in range(0, max(len(old), len(new)), PAIRED):
        yield from _aligned(old[start : start + PAIRED], new[start : start + PAIRED])


def _aligned(old: list[Unit], new: list[Unit]) -> Iterator[Pair]:
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, j in product(reversed(range(len(old))), reversed(range(len(new)))):
        together = _likeness(old[i], new[j])
        best[i][j] = max(best[i + 1][j], best[i][j + 1], together and together + best[i + 1][j + 1])
    i = j = 0
    while i < len(old) or j < len(new):
        drop = i < len(old) and best[i][j] == best[i + 1][j]
        add = not drop and j < len(new) and best[i][j] == best[i][j + 1]
        yield (None if add else old[i]), (None if drop else new[j])
        i, j = i + (not add), j + (not drop)


def _likeness(old: Unit, new: Unit) -> float:
    """0 if one cannot become the other, else from 1 to 3 by the share of the text that need not change."""
    if old.kind != new.kind or not _editable(old):
        return 0
    head = common_prefix(old.text, new.text)
    tail = common_prefix(old.text[head:][::-1], new.text[head:][::-1])
    return 1 + 4 * (head + tail) / max(1, len(old.text) + len(new.text))


def _editable(unit: Unit) -> bool:
    """Texts with embedded objects are not: their indexes are not those of the text."""
    if unit.kind != "text":
        return True
    return all(isinstance(tree, XmlText) and len(tree) == _size(_string(tree)) for tree in unit.trees)


def _update(parent: Parent, old: Unit, new: Unit) -> None:
    tree = max(old.trees, key=_length)
    if isinstance(tree, XmlElement):
        _update_attributes(tree, new.nodes[0].get("attrs", {}))
        _replace_children(tree, children(new.nodes[0]))
    elif isinstance(tree, XmlText):
        for index in reversed(range(len(old.trees))):
            if old.trees[index] is not tree:
                del parent.children[old.index + index]
        _update_text(tree, new.nodes)


def _length(tree: Child) -> int:
    return len(tree) if isinstance(tree, XmlText) else 0


def _update_attributes(tree: XmlElement, target: dict[str, Any]) -> None:
    current = prosemirror.attributes(tree)
    for name in current.keys() - target.keys():
        del tree.attributes[name]
    for name, value in target.items():
        if name not in current or key(current[name]) != key(value):
            tree.attributes[name] = value


def _update_text(tree: XmlText, target: list[Node]) -> None:
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


def _splice(
    tree: Text | XmlText, old: str, new: str, change: Change, attrs: dict[str, Any] | None = None
) -> None:
    """Applies one change. pycrdt counts in bytes of UTF-8 (an index inside a character moves to its end)."""
    start = _size(old[: change.start])
    if change.stop > change.start:
        del tree[start : start + _size(old[change.start : change.stop])]
    if change.new_stop > change.new_start:
        tree.insert(start, new[change.new_start : change.new_stop], attrs)


def _size(text: str) -> int:
    return len(text.encode())


def _string(tree: XmlText) -> str:
    return "".join(text for text, _ in runs(tree))
