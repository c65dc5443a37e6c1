"""What must be true afterwards (pure): each check gets what was promised and what is there, and says what is wrong."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pycrdt

from models.documents.journal import Entry, link
from models.documents.tables import GENESIS
from models.yjs import updates
from tests.torture.clients import ROOT, TOKEN, Record


def journal(entries: Sequence[Entry], records: Sequence[Record], sockets: Collection[int]) -> Iterator[str]:
    """Of one document: gapless, chained, each writer's edits in order, nothing doubled, each promised seq kept.

    `sockets` are the seqs of what came over a socket, and not over REST.
    """
    chain = GENESIS
    for place, entry in enumerate(entries, start=1):
        chain = link(chain, entry.payload)
        if entry.seq != place:
            yield f"seq {place} is missing: {entry.seq} comes next"
            return
        if entry.chain != chain:
            yield f"the hash chain breaks at seq {place}"
            return
    returns: dict[int | None, int] = {r.writer: 0 if r.exact else r.returns for r in records}
    returns[None] = sum(record.returns for record in records)
    savers = {record.writer for record in records if record.exact or record.seqs}
    seen: dict[str, int] = {}
    repeats: Counter[int | None] = Counter()
    for entry in entries:
        tokens = [token.decode() for token in TOKEN.findall(entry.payload)]
        new = [token for token in tokens if token not in seen]
        if tokens and not new:
            writers = {_writer(token) for token in tokens}
            # An editor that comes back offers what it has of others, too: the node may not have heard of it yet.
            offered = entry.seq in sockets and (len(writers) > 1 or not savers.isdisjoint(writers))
            repeats[None if offered else _writer(tokens[-1])] += 1
        for token in new:
            seen[token] = entry.seq
    for writer, times in repeats.items():
        if times > returns[writer]:
            whose = "others" if writer is None else f"writer {writer}"
            yield f"edits of {whose} are {times} times journaled again, {returns[writer]} times sent again"
    yield from _in_order(entries, records)
    payloads = {entry.seq: entry.payload for entry in entries}
    for record in records:
        yield from _promised(record, seen)
        for seq, update in record.seqs.items():
            if payloads.get(seq) != update:
                yield f"writer {record.writer} was promised seq {seq}, and something else is there"


def content(text: str, records: Sequence[Record]) -> Iterator[str]:
    """Of one document: every acknowledged edit shows exactly once, every acknowledged deletion is one."""
    found = Counter(token.decode() for token in TOKEN.findall(text.encode()))
    typed: set[str] = set()
    for record in records:
        typed.update(record.typed)
        sure = record.typed[: record.acknowledged]
        erased, maybe = _erased(sure), _erased(record.typed)
        for token in sure:
            if token.startswith("-"):
                continue
            if token in erased:
                if found[token]:
                    yield f"{token} was erased and is there"
            elif found[token] != 1 and not (token in maybe and found[token] == 0):
                yield f"{token} is there {found[token]} times"
    for token in found.keys() - typed:
        yield f"{token} was typed by nobody"


def lost(text: str, records: Sequence[Record]) -> int:
    """How many acknowledged edits are gone."""
    found = Counter(token.decode() for token in TOKEN.findall(text.encode()))
    gone = 0
    for record in records:
        erased = _erased(record.typed)
        for token in record.typed[: record.acknowledged]:
            gone += (
                found[token.removeprefix("-")] > 0 if token.startswith("-") else not (found[token] or token in erased)
            )
    return gone


def same(replicas: Mapping[str, tuple[bytes, str]]) -> Iterator[str]:
    """Of one document: all replicas, as (state vector, text), are what the journal's replay is."""
    state, text = replicas["the journal's replay"]
    for name, (other_state, other_text) in replicas.items():
        if clocks(other_state) != clocks(state):
            yield f"{name} has seen other edits than the journal's replay"
        elif other_text != text:
            yield f"{name} has another text than the journal's replay"


def replay(payloads: Sequence[bytes]) -> tuple[bytes, str]:
    """The state vector and the text that updates make."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    text = doc.get(ROOT, type=pycrdt.Text)
    for payload in payloads:
        doc.apply_update(payload)
    return doc.get_state(), str(text)


def clocks(state: bytes) -> dict[int, int]:
    """A state vector, comparable."""
    return {client: clock for client, clock in updates.clocks(state).items() if clock}


def _in_order(entries: Sequence[Entry], records: Sequence[Record]) -> Iterator[str]:
    """What each writer sent itself comes in order."""
    # By another node that is slower, the letters of an edit may come after they were erased and that was saved.
    erased = {token for record in records for token in _erased(record.typed)}
    seen: set[str] = set()
    last: dict[int, int] = {}
    for entry in entries:
        tokens = [token.decode() for token in TOKEN.findall(entry.payload)]
        if len({_writer(token) for token in tokens}) == 1:  # else somebody offers what they have of others, too
            for token in tokens:
                writer, number = _writer(token), _number(token)
                if number < last.get(writer, -1) and token not in seen and token not in erased:
                    yield f"{token} came after {last[writer]} of the same writer, at seq {entry.seq}"
                last[writer] = max(number, last.get(writer, number))
        seen.update(tokens)


def _promised(record: Record, seen: Mapping[str, int]) -> Iterator[str]:
    erased = _erased(record.typed)
    for token in record.typed[: record.acknowledged]:
        # What was erased before it was sent travels as a gap without its letters.
        if not token.startswith("-") and token not in seen and token not in erased:
            yield f"{token} was acknowledged and is not in the journal"


def _erased(edits: Sequence[str]) -> set[str]:
    return {edit[1:] for edit in edits if edit.startswith("-")}


def _writer(token: str) -> int:
    return int(token[1:-1].split(".", maxsplit=1)[0])


def _number(token: str) -> int:
    return int(token[1:-1].split(".")[1])
