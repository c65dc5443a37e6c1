"""The roots of a Yjs document: which hold plain text, and the `default` fragment that holds rich text.

Roots have no type until a program casts them. Casting changes no state: a text read as a fragment has no
children, a fragment, map or array read as a text is "". But never index the children of a cast text: it has
the length of the text and `children[0]` panics; iterate.
"""

from typing import Any, TypeAlias

from pycrdt import Doc, Text, XmlFragment

from models.content.blocknote import to_tiptap
from models.content.prosemirror import read
from models.content.schema import Node, document

ROOT = "default"
YDoc: TypeAlias = Doc[Any]


def fragment(doc: YDoc) -> XmlFragment:
    """The root that holds rich text, made if there is none."""
    root: XmlFragment = doc.get(ROOT, type=XmlFragment)
    return root


def to_prosemirror(doc: YDoc) -> Node:
    """The rich text of `doc` as ProseMirror JSON in normal form; without any, an empty doc node."""
    with doc.transaction():
        return document(read(fragment(doc)) if ROOT in set(doc.keys()) else [])


def shown(doc: YDoc) -> Node:
    """The rich text of `doc` for whoever reads it, whichever editor wrote it."""
    return to_tiptap(to_prosemirror(doc))


def root_texts(doc: YDoc) -> dict[str, str]:
    """Every plain-text root that is not empty, by name, sorted."""
    with doc.transaction():
        texts = {name: str(doc.get(name, type=Text)) for name in sorted(doc.keys())}
    return {name: text for name, text in texts.items() if text}


def is_plain(doc: YDoc) -> bool:
    """Whether the root meant for rich text is one of plain text: its client likes the name, too."""
    runs = [run for run, _ in doc.get(ROOT, type=Text).diff()] if ROOT in set(doc.keys()) else []
    return bool(runs) and all(isinstance(run, str) for run in runs)


def has_blocks(content: Node) -> bool:
    """Whether rich text is anything but the empty paragraph an editor leaves where it was opened."""
    return content["content"] not in ([], [{"type": "paragraph"}])


def plain_text(doc: YDoc) -> str:
    """All plain-text roots, verbatim, by name, with a blank line between them."""
    return "\n\n".join(root_texts(doc).values())
