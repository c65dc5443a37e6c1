"""Finding documents by their words: the beginnings of words, in titles and texts, in any language with spaces."""

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Uuid, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.documents import queries
from models.documents.tables import Document, DocumentText
from models.orgs import OrgScope, Permission

WORDS = 20
"""So many words of a question count."""
RANKED = 200
"""Of very many that match, so many are compared: those whose title matches, then the newest. Each costs parsing."""

_START, _STOP = "\x01", "\x02"

# Row-level security would keep these words from their indexes: Postgres evaluates policies before `@@`, which is not
# leakproof. The function finds ids only, of the organizations that the policies show; all else is read under them.
_FOUND = (
    text("SELECT document_id, in_title FROM matching_documents(:org_id, :asked)")
    .bindparams(bindparam("org_id", type_=Uuid))
    .columns(document_id=Uuid, in_title=Boolean)
    .subquery("found")
)
_RANK = text("""
    4 * ts_rank(to_tsvector('simple', title), to_tsquery('simple', :asked))
    + coalesce(ts_rank(to_tsvector('simple', left(text, 200000)), to_tsquery('simple', :asked)), 0) DESC, id DESC
""")
_EXCERPTS = text("""
    SELECT document_id, ts_headline('simple', left(text, 200000), to_tsquery('simple', :asked),
        'StartSel=' || chr(1) || ', StopSel=' || chr(2) || ', MaxFragments=1, MaxWords=24, MinWords=10') AS excerpt
    FROM document_texts WHERE org_id = :org_id AND document_id = ANY(:ids)
""").bindparams(bindparam("org_id", type_=Uuid), bindparam("ids", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an excerpt, and whether it is what was asked for."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A document with all the words."""

    document_id: UUID
    title: str
    excerpt: list[Part]


async def search(session: AsyncSession, scope: OrgScope, question: str, *, limit: int = 20) -> list[Hit]:
    """What one may read that has all the words in its title or text, best first."""
    scope.require(Permission.DOCUMENT_LIST)
    words = re.findall(r"\w+", question)[:WORDS]
    if not words:
        return []
    named = {"org_id": scope.org_id, "asked": " & ".join(f"'{word}':*" for word in words)}
    readable = queries.readable(scope.org_id, scope.actor.user_id, role=scope.role)
    newest = (
        readable.join(_FOUND, _FOUND.c.document_id == Document.id)
        .with_only_columns(col(Document.org_id), col(Document.id), col(Document.title))
        .order_by(_FOUND.c.in_title.desc(), col(Document.id).desc())
        .limit(RANKED)
        .subquery("newest")
    )
    texts = (col(DocumentText.org_id) == newest.c.org_id) & (col(DocumentText.document_id) == newest.c.id)
    best = select(newest.c.id, newest.c.title).join(DocumentText, texts, isouter=True).order_by(_RANK).limit(limit)
    hits = list(await session.execute(best, named))
    ids = [document_id for document_id, _ in hits]
    excerpts = dict((await session.execute(_EXCERPTS, {**named, "ids": ids})).tuples().all())
    return [Hit(document_id, title, _parts(excerpts.get(document_id, ""))) for document_id, title in hits]


def _parts(headline: str) -> list[Part]:
    pieces = re.split(f"[{_START}{_STOP}]", headline)
    return [Part(piece, hit=number % 2 == 1) for number, piece in enumerate(pieces) if piece]
