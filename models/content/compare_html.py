"""A comparison of two rich texts as safe HTML, with <ins> and <del>."""

import json
import re
from html import escape

from models.content.compare import DELETION, INSERTION, MODIFICATION, change_of
from models.content.diff import text_changes
from models.content.html import node_to_html, preformatted
from models.content.schema import Mark, Node, attribute, children

# HTML allows only these inside their parents, so the change is marked inside of them.
RIGID = frozenset({"listItem", "taskItem", "tableRow", "tableCell", "tableHeader"})
TAGS = {INSERTION: "ins", DELETION: "del"}


def comparison_to_html(merged: Node) -> str:
    """The tree that `compare` made as an HTML fragment."""
    return "".join(node_to_html(_loosened(node), _wrapped) for node in children(merged))


def text_comparison_to_html(old: str, new: str) -> str:
    """Two plain texts as one preformatted fragment."""
    parts, kept = [], 0
    for change in text_changes(old, new):
        parts.append(escape(old[kept : change.start]))
        for tag, text in (("del", old[change.start : change.stop]), ("ins", new[change.new_start : change.new_stop])):
            parts += [f"<{tag}>{escape(text)}</{tag}>"] if text else []
        kept = change.stop
    return f"<pre>{preformatted(''.join(parts) + escape(old[kept:]), escaped=True)}</pre>"


def _loosened(node: Node) -> Node:
    """The node with the changes of rigid nodes moved down into what is in them."""
    change = change_of(node)
    content = children(node)
    if change is not None and node["type"] in RIGID:
        if change["type"] == MODIFICATION:
            content = _with_box(node, change, content)
        else:
            content = [child if change_of(child) else child | {"marks": [change]} for child in content]
    if not content or node["type"] == "text":
        return node
    return node | {"content": [_loosened(child) for child in content]}


def _with_box(node: Node, change: Mark, content: list[Node]) -> list[Node]:
    """A task whose box was ticked or cleared says so in its text."""
    now, before = attribute(node, "checked"), change["attrs"]["before"].get("checked")
    if node["type"] != "taskItem" or now == before or not content:
        return content
    signs = [
        {"type": "text", "text": "☑ " if state else "☐ ", "marks": [{"type": kind, "attrs": {"move": None}}]}
        for state, kind in ((before, DELETION), (now, INSERTION))
    ]
    return [content[0] | {"content": [*signs, *children(content[0])]}, *content[1:]]


def _wrapped(node: Node, html: str) -> str:
    change = change_of(node)
    if change is None or not html:
        return html
    if change["type"] == MODIFICATION:
        before = escape(json.dumps(change["attrs"]["before"], ensure_ascii=False, sort_keys=True))
        return re.sub(r"\A<[a-z0-9]+", lambda tag: f'{tag[0]} data-before="{before}"', html)
    if node["type"] in RIGID:
        return html
    tag, move = TAGS[change["type"]], change["attrs"]["move"]
    opened = tag if move is None else f'{tag} data-move="{move}"'
    return f"<{opened}>{html}</{tag}>"
