"""What changed between two moments of a document, and who wrote what of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from uuid import UUID

from pycrdt import XmlElement, XmlText
from sqlalchemy.ext.asyncio import AsyncSession

from infra import bigstack
from infra.storage import ObjectStore
from models import content
from models.content.compare import compare
from models.content.compare_html import comparison_to_html, text_comparison_to_html
from models.content.diff import text_changes
from models.content.prosemirror import Parent, attributes, marks_of
from models.content.roots import ROOT, fragment, has_blocks, is_plain
from models.content.schema import Node, document, element, join, text_node
from models.documents import authorship, crdt, history
from models.documents.authorship import Author, Path, Spans
from models.orgs import OrgScope
from models.revisions import service

Op = dict[str, str]
"""`{"op": "equal" | "insert" | "delete", "text": …}`"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two moments of a document in one."""

    seq_from: int
    seq_to: int
    content: Node
    """The rich text; see models/content/compare.py for its marks."""
    texts: dict[str, tuple[str, str]]
    """The plain texts by the name of their root: before, after."""

    @property
    def operations(self) -> dict[str, list[Op]]:
        """The plain texts as operations that make the new text of the old one."""
        return {name: list(_operations(*pair)) for name, pair in self.texts.items()}

    @property
    def html(self) -> str:
        """All of it as an HTML fragment with <ins> and <del>."""
        rich = comparison_to_html(self.content) if has_blocks(self.content) else ""
        sections = [
            f'<section data-root="{escape(name)}">{text_comparison_to_html(*pair)}</section>'
            for name, pair in self.texts.items()
        ]
        return rich + "".join(sections)


@dataclass(slots=True)
class Attribution:
    """Who wrote each part of a document that is still there."""

    seq: int
    content: Node = field(default_factory=lambda: document([]))
    """The rich text, each part with a last mark `author` that has the attribute `user_id`."""
    texts: dict[str, list[tuple[str, Author]]] = field(default_factory=dict)
    """The plain texts, by the name of their root."""
    characters: Counter[Author] = field(default_factory=Counter)


async def difference(
    session: AsyncSession, scope: OrgScope, store: ObjectStore, document_id: UUID, *, start: int, stop: int | None
) -> Comparison:
    """What changed from one seq to another one, or to now.

    Raises:
        SeqNotFound: the document never had such a seq.
    """
    old = await service.load_at(session, scope, store, document_id, start)
    new = await service.load_at(session, scope, store, document_id, stop)
    return await bigstack.run(_compared, old.updates, new.updates, old.seq, new.seq)


async def attribution(
    session: AsyncSession, scope: OrgScope, store: ObjectStore, document_id: UUID, seq: int | None = None
) -> Attribution:
    """Who wrote what of the document as of a seq, or of now.

    Raises:
        SeqNotFound: the document never had that seq.
    """
    loaded = await service.load_at(session, scope, store, document_id, seq)
    entries = await history.entries(session, store, document_id, after=0, upto=loaded.seq)
    authors = [(entry.payload, entry.actor_id) for entry in entries]
    return await bigstack.run(_attributed, loaded.seq, loaded.updates, authors)


def _compared(old: Sequence[bytes], new: Sequence[bytes], start: int, stop: int) -> Comparison:
    one, other = crdt.build(old), crdt.build(new)
    before, after = content.root_texts(one), content.root_texts(other)
    names = sorted(before.keys() | after.keys())
    return Comparison(
        start,
        stop,
        compare(content.shown(one), content.shown(other)),
        {name: (before.get(name, ""), after.get(name, "")) for name in names},
    )


def _operations(old: str, new: str) -> Iterator[Op]:
    kept = 0
    for change in text_changes(old, new):
        yield from _op("equal", old[kept : change.start])
        yield from _op("delete", old[change.start : change.stop])
        yield from _op("insert", new[change.new_start : change.new_stop])
        kept = change.stop
    yield from _op("equal", old[kept:])


def _op(kind: str, text: str) -> list[Op]:
    return [{"op": kind, "text": text}] if text else []


def _attributed(seq: int, updates: Sequence[bytes], authors: Sequence[tuple[bytes, Author]]) -> Attribution:
    doc = crdt.build(updates)
    found = authorship.spans(doc.get_update(), authorship.written_by(authors))
    made = Attribution(seq)
    for name, text in content.root_texts(doc).items():
        made.texts[name] = [(part, author) for part, author in _parts(text, 0, found.get((name,), []))]
        for part, author in made.texts[name]:
            made.characters[author] += len(part)
    if ROOT in set(doc.keys()) and not is_plain(doc):
        with doc.transaction():
            made.content = document(_marked(fragment(doc), (ROOT,), found, made.characters))
    return made


def _marked(parent: Parent, path: Path, found: dict[Path, Spans], counted: Counter[Author]) -> list[Node]:
    nodes: list[Node] = []
    for index, child in enumerate(parent.children):
        here = (*path, index)
        if isinstance(child, XmlText):
            for text, marks, author in _runs(child, found.get(here, [])):
                counted[author] += len(text)
                nodes.append(text_node(text, [*marks, _mark(author)]))
        elif isinstance(child, XmlElement) and child.tag not in (None, "text"):
            nodes.append(element(str(child.tag), attributes(child), _marked(child, here, found, counted)))
    return join(nodes)


def _runs(tree: XmlText, spans: Spans) -> Iterator[tuple[str, list[dict[str, Any]], Author]]:
    """A text in stretches of one formatting and one author."""
    position = 0
    for run, formatting in tree.diff():
        if not isinstance(run, str):
            position += 1
            continue
        for part, author in _parts(run, position, spans):
            yield part, marks_of(formatting or {}), author
        position += len(run.encode())


def _parts(text: str, offset: int, spans: Spans) -> Iterator[tuple[str, Author]]:
    """A text that starts at `offset` (bytes) cut where its author changes."""
    raw = text.encode()
    done = 0
    for start, stop, author in spans:
        low, high = max(start - offset, done), min(stop - offset, len(raw))
        if low >= high:
            continue
        if low > done:
            yield raw[done:low].decode(), None
        yield raw[low:high].decode(), author
        done = high
    if done < len(raw):
        yield raw[done:].decode(), None


def _mark(author: Author) -> dict[str, Any]:
    return {"type": "author", "attrs": {"user_id": None if author is None else str(author)}}
