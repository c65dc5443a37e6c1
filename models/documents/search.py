"""Finding documents by their words: the beginnings of words, in titles and texts, in any language with spaces."""

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Float, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.documents import queries
from models.documents.tables import Document
from models.orgs import OrgScope, Permission

WORDS = 20
"""So many words of a question count."""

_START, _STOP = "\x01", "\x02"

# Titles and texts each by their own index, whose expression has to be repeated word for word.
_FOUND = (
    text("""
        SELECT id, sum(rank) AS rank FROM (
            SELECT id, 4 * ts_rank(to_tsvector('simple', title), to_tsquery('simple', :asked)) AS rank
            FROM documents
            WHERE org_id = :org_id AND to_tsvector('simple', title) @@ to_tsquery('simple', :asked)
            UNION ALL
            SELECT document_id,
                ts_rank(to_tsvector('simple', left(text, 200000)), to_tsquery('simple', :asked))
            FROM document_texts
            WHERE org_id = :org_id AND to_tsvector('simple', left(text, 200000)) @@ to_tsquery('simple', :asked)
        ) AS halves GROUP BY id
    """)
    .bindparams(bindparam("org_id", type_=Uuid))
    .columns(id=Uuid, rank=Float)
    .subquery("found")
)
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
    best = (
        readable.join(_FOUND, _FOUND.c.id == Document.id)
        .with_only_columns(col(Document.id), col(Document.title))
        .order_by(_FOUND.c.rank.desc(), col(Document.id).desc())
        .limit(limit)
    )
    hits = list(await session.execute(best, named))
    ids = [document_id for document_id, _ in hits]
    excerpts = dict((await session.execute(_EXCERPTS, {**named, "ids": ids})).tuples().all())
    return [Hit(document_id, title, _parts(excerpts.get(document_id, ""))) for document_id, title in hits]


def _parts(headline: str) -> list[Part]:
    pieces = re.split(f"[{_START}{_STOP}]", headline)
    return [Part(piece, hit=number % 2 == 1) for number, piece in enumerate(pieces) if piece]
