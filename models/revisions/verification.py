"""Checking a document against its own hashes, and its newest snapshot against its journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import bigstack
from infra.storage import ObjectStore
from models.documents import DocumentGone, HistoryUnavailable, crdt, history, journal, state
from models.documents.tables import GENESIS, DocumentStream
from models.revisions import queries, service
from models.revisions.tables import Revision


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    ok: bool
    detail: str = ""


async def verify(session: AsyncSession, store: ObjectStore, document_id: UUID) -> list[Finding]:
    """Every check there is, of one document that the session may see. Called by operators.

    Raises:
        DocumentGone: there is no such document.
    """
    stream = await queries.stream(session, document_id)
    if stream is None:
        raise DocumentGone([document_id])
    try:
        entries = await history.entries(session, store, document_id, after=0, upto=stream.seq, quarantined=True)
    except HistoryUnavailable as error:
        return [Finding("journal", False, str(error))]
    chains = _chains([entry.payload for entry in entries])
    findings = [_journal(stream, entries, chains)]
    kept = await queries.all_of(session, document_id)
    findings += [_revision(revision, chains) for revision in kept]
    newest = next((revision for revision in reversed(kept) if revision.state == "stored"), None)
    if newest is not None and findings[0].ok:
        findings += await _snapshot(session, store, newest)
    return findings


def _chains(payloads: Sequence[bytes]) -> list[bytes]:
    """The chain hash after each update; the first one is before any."""
    chains = [GENESIS]
    for payload in payloads:
        chains.append(journal.link(chains[-1], payload))
    return chains


def _journal(stream: DocumentStream, entries: Sequence[journal.Entry], chains: list[bytes]) -> Finding:
    for place, (entry, chain) in enumerate(zip(entries, chains[1:], strict=True), start=1):
        if entry.seq != place:
            return Finding("journal", False, f"seq {place} is missing")
        if entry.chain != chain:
            return Finding("journal", False, f"the chain breaks at seq {place}")
    if (stream.seq, stream.chain) != (len(entries), chains[-1]):
        return Finding("journal", False, f"it ends at seq {len(entries)}, the stream at {stream.seq}")
    return Finding("journal", True, f"{len(entries)} updates")


def _revision(revision: Revision, chains: list[bytes]) -> Finding:
    check = f"revision {revision.number}"
    ok = revision.seq_to < len(chains) and chains[revision.seq_to] == revision.chain
    return Finding(check, ok, f"seq {revision.seq_from} to {revision.seq_to}, {revision.state}")


async def _snapshot(session: AsyncSession, store: ObjectStore, revision: Revision) -> list[Finding]:
    """The newest snapshot: readable, what folding gives again, and what the whole journal gives."""
    check = f"snapshot of revision {revision.number}"
    try:
        stored = await state.read_snapshot(store, revision.org_id, str(revision.sha256))
        folded = await service.refold(session, store, revision)
    except Exception as error:
        return [Finding(check, False, str(error))]
    entries = await history.entries(session, store, revision.document_id, after=0, upto=revision.seq_to)
    same = await bigstack.run(_same, [stored], [entry.payload for entry in entries])
    return [
        Finding(check, True, f"{len(stored)} bytes"),
        Finding("fold", folded.sha256 == revision.sha256, folded.sha256),
        Finding("journal from the start", same, f"{len(entries)} updates give the same document"),
    ]


def _same(left: Sequence[bytes], right: Sequence[bytes]) -> bool:
    """Whether two sequences of updates make the same document.

    Encodings may differ in how runs are split, so what they say is compared and not their bytes.
    """
    one, other = crdt.build(left), crdt.build(right)
    return crdt.same_clocks(one, other) and service.words(one) == service.words(other)
