"""The rows of one append to the journal, as the parameters of one statement.

A driver handles each value of an array by itself, which costs more than the rows do: so payloads and chain hashes come
in one piece, and numbers as array literals.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Text, bindparam, text

from infra.direct import int_array, uuid_array


class Edit(NamedTuple):
    """One Yjs v1 update that applied, and who made it where. (A frozen dataclass takes twice as long to make.)"""

    org_id: UUID
    document_id: UUID
    payload: bytes
    actor_id: UUID | None
    session_id: UUID | None
    origin: str


@dataclass(slots=True)
class Head:
    """The end of a document's journal, under lock."""

    org_id: UUID
    seq: int
    chain: bytes
    bytes_total: int


# The pieces are parameters of the outermost expressions, not columns of a subquery, which would copy them for each row.
APPEND = text("""
    WITH heads AS MATERIALIZED (
        SELECT org_id, document_id, seq, bytes_total, CAST(n AS int) AS n
        FROM unnest(
            CAST(:orgs AS uuid[]), CAST(:documents AS uuid[]),
            CAST(:head_seqs AS bigint[]), CAST(:head_bytes AS bigint[])
        ) WITH ORDINALITY AS head (org_id, document_id, seq, bytes_total, n)
    ), appended AS (
        INSERT INTO document_updates
            (org_id, document_id, seq, payload, chain, actor_id, session_id, origin, created_at)
        SELECT heads.org_id, heads.document_id, new.seq,
            substring(CAST(:payloads AS bytea) FROM new.start FOR new.length),
            substring(CAST(:chains AS bytea) FROM CAST(new.n AS int) * 32 - 31 FOR 32),
            author.actor_id, author.session_id, author.origin, now()
        FROM unnest(
            CAST(:heads AS int[]), CAST(:authors AS int[]), CAST(:seqs AS bigint[]),
            CAST(:starts AS int[]), CAST(:lengths AS int[])
        ) WITH ORDINALITY AS new (head, author, seq, start, length, n)
        JOIN heads ON heads.n = new.head
        JOIN unnest(CAST(:actors AS uuid[]), CAST(:sessions AS uuid[]), :origins)
            WITH ORDINALITY AS author (actor_id, session_id, origin, n) ON author.n = new.author
    )
    UPDATE document_streams SET seq = heads.seq, bytes_total = heads.bytes_total,
        chain = substring(CAST(:head_chains AS bytea) FROM heads.n * 32 - 31 FOR 32)
    FROM heads
    WHERE document_streams.document_id = heads.document_id
""").bindparams(
    *(bindparam(name, type_=LargeBinary) for name in ("payloads", "chains", "head_chains")),
    bindparam("origins", type_=ARRAY(Text)),
)


def link(chain: bytes, payload: bytes) -> bytes:
    """The chain hash after an update: sha256(previous ‖ payload)."""
    return hashlib.sha256(chain + payload).digest()


class Rows:
    """The rows of some edits, as columns; making them moves the heads on."""

    def __init__(self, edits: Sequence[Edit], heads: dict[UUID, Head]) -> None:
        self.seqs: list[int] = []
        self._heads = heads
        self._payloads = [edit.payload for edit in edits]
        self._chains: list[bytes] = []
        self._places: list[int] = []
        self._authors: dict[tuple[int, int, str], int] = {}
        self._author_of: list[tuple[UUID | None, UUID | None, str]] = []
        self._written_by: list[int] = []
        self._move_on(edits)

    def _move_on(self, edits: Sequence[Edit]) -> None:
        """For each edit a seq and a link of the chain. Edits mostly come document by document."""
        places = {document_id: place for place, document_id in enumerate(self._heads, 1)}
        for document_id, group in groupby(edits, itemgetter(1)):
            some, head = list(group), self._heads[document_id]
            chain, chains, written_by = head.chain, self._chains, self._written_by
            for _, _, payload, actor_id, session_id, origin in some:
                chain = link(chain, payload)
                chains.append(chain)
                # By identity: Python takes longer for the hash of a UUID than for all the rest; twice does no harm.
                author = self._authors.get((id(actor_id), id(session_id), origin))
                written_by.append(author or self._new_author(actor_id, session_id, origin))
            self._places += [places[document_id]] * len(some)
            self.seqs += range(head.seq + 1, head.seq + len(some) + 1)
            head.seq += len(some)
            head.chain = chain
            head.bytes_total += sum([len(edit.payload) for edit in some])

    def _new_author(self, actor_id: UUID | None, session_id: UUID | None, origin: str) -> int:
        self._author_of.append((actor_id, session_id, origin))
        self._authors[id(actor_id), id(session_id), origin] = len(self._author_of)
        return len(self._author_of)

    def parameters(self) -> dict[str, Any]:
        """For `APPEND`."""
        lengths = [len(payload) for payload in self._payloads]
        heads = self._heads.values()
        return {
            "orgs": uuid_array(head.org_id for head in heads),
            "documents": uuid_array(self._heads),
            "head_seqs": int_array(head.seq for head in heads),
            "head_bytes": int_array(head.bytes_total for head in heads),
            "head_chains": b"".join([head.chain for head in heads]),
            "payloads": b"".join(self._payloads),
            "chains": b"".join(self._chains),
            "heads": int_array(self._places),
            "authors": int_array(self._written_by),
            "seqs": int_array(self.seqs),
            "starts": int_array(accumulate(lengths[:-1], initial=1)),
            "lengths": int_array(lengths),
            "actors": uuid_array(actor_id for actor_id, _, _ in self._author_of),
            "sessions": uuid_array(session_id for _, session_id, _ in self._author_of),
            "origins": [origin for _, _, origin in self._author_of],
        }
