"""Which child of a Yjs node becomes which child of its target."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TypeAlias

from pycrdt import XmlText

from models.content.diff import common_prefix
from models.content.edit_text import is_editable
from models.content.prosemirror import Child, read_nodes
from models.content.schema import Node, key
from models.content.text import of_nodes

PAIRED = 100  # siblings compared with each other; the cost grows with its square

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


def units(trees: Sequence[Child]) -> list[Unit]:
    """The children of a node; refuses any nested so deep that deleting it would overflow the stack."""
    found: list[Unit] = []
    for index, tree in enumerate(trees):
        if isinstance(tree, XmlText) and found and isinstance(found[-1].trees[-1], XmlText):
            before = found.pop()
            together = (*before.trees, tree)
            found.append(Unit(read_nodes(together), together, before.index))
        else:
            found.append(Unit(read_nodes([tree]), (tree,), index))
    return found


def pairs(old: list[Unit], new: list[Unit]) -> Iterator[Pair]:
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
    return unit.kind != "text" or all(isinstance(tree, XmlText) and is_editable(tree) for tree in unit.trees)
