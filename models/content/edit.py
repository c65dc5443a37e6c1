"""Minimal forward edits: a document becomes its target by touching only what differs, so that cursors in and
concurrent edits of everything else survive.
"""

from typing import Any

from pycrdt import XmlElement, XmlText

from models.content.align import Unit, pairs, units
from models.content.diff import Change, changes
from models.content.edit_text import replace_runs
from models.content.prosemirror import Child, Parent, attributes, insert
from models.content.prosemirror import units as target_units
from models.content.roots import ROOT, YDoc, fragment, is_plain
from models.content.schema import ContentError, Node, children, key
from models.content.validate import normalize


def replace(doc: YDoc, target: Node) -> None:
    """Turns the rich text of `doc` into `target` in one transaction.

    Run it on a thread with a big stack, like whatever applies updates: pycrdt deletes recursively, also what
    a hostile peer hid where it cannot be seen from here.
    """
    content = children(normalize(target))
    with doc.transaction():
        if is_plain(doc):
            raise ContentError(f"the root {ROOT!r} holds plain text")
        _replace_children(fragment(doc), content)


def _replace_children(parent: Parent, target: list[Node]) -> None:
    trees = list(parent.children)
    if len(trees) != len(parent.children):  # a type no editor knows hides what follows it
        del parent.children[:]
        trees = []
    old, new = units(trees), [Unit(unit) for unit in target_units(target)]
    for change in reversed(changes([unit.key for unit in old], [unit.key for unit in new])):
        _replace_units(parent, old[: change.stop], change, new[change.new_start : change.new_stop])


def _replace_units(parent: Parent, old: list[Unit], change: Change, new: list[Unit]) -> None:
    """Works from the end, so that the indexes of what comes before stay right."""
    end = old[-1].index + len(old[-1].trees) if old else 0
    for before, after in reversed(list(pairs(old[change.start :], new))):
        if before is None:
            assert after is not None
            insert(parent, end, after.nodes)
            continue
        if after is not None:
            _update(parent, before, after)
        elif before.nodes or not isinstance(before.trees[0], XmlText):  # an empty text is in nobody's way
            del parent.children[before.index : end]
        end = before.index


def _update(parent: Parent, old: Unit, new: Unit) -> None:
    tree = max(old.trees, key=_length)
    if isinstance(tree, XmlElement):
        _update_attributes(tree, new.nodes[0].get("attrs", {}))
        _replace_children(tree, children(new.nodes[0]))
    elif isinstance(tree, XmlText):
        for index in reversed(range(len(old.trees))):
            if old.trees[index] is not tree:
                del parent.children[old.index + index]
        replace_runs(tree, new.nodes)


def _length(tree: Child) -> int:
    return len(tree) if isinstance(tree, XmlText) else 0


def _update_attributes(tree: XmlElement, target: dict[str, Any]) -> None:
    current = attributes(tree)
    for name in current.keys() - target.keys():
        del tree.attributes[name]
    for name, value in target.items():
        if name not in current or key(current[name]) != key(value):
            tree.attributes[name] = value
