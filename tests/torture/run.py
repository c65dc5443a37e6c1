"""One run: everybody writes while the plan is carried out; then all of it is checked."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from infra.db import OUTAGES, Database
from infra.settings import Settings
from infra.storage import ObjectStore
from models import outbox, revisions
from models.documents import history
from tests.collab.world import World, found
from tests.torture import checks, cluster
from tests.torture.clients import Editor, Record, Saver, Writer
from tests.torture.cluster import Cluster, Hit
from tests.torture.faults import Fault
from tests.torture.processes import client, until

AT_ONCE = 6
"""So many faults at a time at most: the next waits until one is over."""
SETTLE_SECONDS = 90.0
PROGRESS_SECONDS = 30.0
_TOKEN_SECONDS = 24 * 3600
_FROM_SOCKETS = sql("SELECT seq FROM document_updates WHERE document_id = :id AND origin = 'socket'")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is written."""

    documents: int = 6
    editors: int = 3
    """At each document, beside two autosaves."""
    pause: float = 0.4
    """Seconds between two edits of a writer, on average."""


@dataclass(slots=True)
class Result:
    """What a run has shown."""

    seed: int
    size: Size
    again: str
    """The command that does the same again."""
    seconds: float = 0.0
    typed: int = 0
    acknowledged: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    """Everything that should not be."""
    hits: list[Hit] = field(default_factory=list)
    promises: list[float] = field(default_factory=list)
    """The moments of all acknowledgements, in seconds since the start."""
    told: list[float] = field(default_factory=list)
    """How old the edit was, in seconds, when an editor was told that it is not saved: once for each silence."""
    drained: float | None = None
    """Seconds after the last fault until the pipeline had persisted everything."""
    updates: int = 0


@dataclass(slots=True)
class Crowd:
    """Everybody who writes."""

    world: World
    editors: list[Editor]
    savers: list[Saver]
    promises: list[float]

    @property
    def writers(self) -> list[Writer]:
        """All of them."""
        return [*self.editors, *self.savers]

    def records(self, document: UUID) -> list[Record]:
        """What was done to a document."""
        return [writer.record for writer in self.writers if writer.record.document == document]


async def torture(
    settings: Settings,
    logs: Path,
    plan: Iterable[Fault],
    *,
    seed: int,
    again: str = "",
    size: Size = Size(),
    sabotage: Mapping[str, str] | None = None,
) -> Result:
    """Carry out a plan on the stores of a running stack; `logs` is where our processes say what they do.

    What is written is the seed's.
    """
    result = Result(seed, size, again)
    async with cluster.running(settings, logs, sabotage=sabotage) as tortured:
        async with _crowd(tortured, seed, size) as (crowd, stop):
            began = time.monotonic()
            telling = asyncio.create_task(_tell(tortured, crowd))
            await _suffer(tortured, plan)
            telling.cancel()
            await _end(tortured, crowd, stop, result)
            await _check(tortured, crowd, result)
        result.hits = sorted(tortured.hits, key=lambda hit: hit.at)
        result.seconds = time.monotonic() - began
        result.promises = [moment - tortured.started for moment in crowd.promises]
        result.told = [seconds for editor in crowd.editors for seconds in editor.told]
        result.wrong += [f"{hit.fault.target} did not come back" for hit in result.hits if hit.recovery is None]
        result.wrong += [f"answered {odd}" for saver in crowd.savers for odd in saver.odd]
    return result


async def _tell(tortured: Cluster, crowd: Crowd) -> None:
    """How far it is, now and then."""
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        seconds, kills = time.monotonic() - tortured.started, sum(hit.fault.kind == "kill" for hit in tortured.hits)
        others, promised = len(tortured.hits) - kills, len(crowd.promises)
        print(f"{seconds:5.0f} s: {kills} kills, {others} other faults, {promised:,} edits acknowledged", flush=True)


@asynccontextmanager
async def _crowd(tortured: Cluster, seed: int, size: Size) -> AsyncIterator[tuple[Crowd, asyncio.Event]]:
    world = await found(tortured.settings)
    token = world.signer.issue(
        "access", sub=str(world.actor.user_id), seconds=_TOKEN_SECONDS, sid=str(world.actor.session_id)
    )
    promises: list[float] = []
    editors: list[Editor] = []
    savers: list[Saver] = []
    for document in [await world.document() for _ in range(size.documents)]:
        for _ in range(size.editors + 2):
            number = len(editors) + len(savers)
            given = number, document, random.Random(f"{seed}.{number}"), promises.append
            if number % (size.editors + 2) < size.editors:
                editors.append(Editor(*given, urls=tortured.collabs, token=world.token, pause=size.pause))
            else:
                savers.append(Saver(*given, urls=tortured.apis, token=token, pause=size.pause))
    crowd, stop = Crowd(world, editors, savers, promises), asyncio.Event()
    tasks = [asyncio.create_task(one.run(stop)) for one in editors]
    tasks += [asyncio.create_task(one.run(stop)) for one in savers]
    try:
        yield crowd, stop
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await world.db.close()
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


async def _suffer(tortured: Cluster, plan: Iterable[Fault]) -> None:
    slots = asyncio.Semaphore(AT_ONCE)
    busy: dict[str, asyncio.Lock] = {}

    async def suffer(fault: Fault) -> None:
        # One thing at a time happens to one target: a link that hangs is not opened by the end of another fault.
        async with slots, busy.setdefault(fault.target, asyncio.Lock()):
            await tortured.suffer(fault)

    async with asyncio.TaskGroup() as group:
        for fault in plan:
            await asyncio.sleep(fault.pause)
            async with slots:  # is there one?
                pass
            group.create_task(suffer(fault))


async def _end(tortured: Cluster, crowd: Crowd, stop: asyncio.Event, result: Result) -> None:
    """Let everybody stop writing, and wait until all is acknowledged, seen by all, and persisted."""
    await tortured.well()
    healed = time.monotonic()
    stop.set()

    async def clean() -> bool:
        return all(writer.clean for writer in crowd.writers)

    if not await until(clean, SETTLE_SECONDS):
        late = [writer.record.writer for writer in crowd.writers if not writer.clean]
        result.wrong.append(f"still unsaved {SETTLE_SECONDS:.0f} s after everything was well: writers {late}")

    async def persisted() -> bool:
        try:
            async with crowd.world.db.transaction() as session:
                backlog = await outbox.backlog(session)
        except OUTAGES:  # a connection of before Postgres was killed
            return False
        return not any(entry.kind == outbox.DOCUMENT_CHANGED for entry in backlog)

    if await until(persisted, SETTLE_SECONDS):
        result.drained = time.monotonic() - healed
    else:
        result.wrong.append(f"the pipeline is not through {SETTLE_SECONDS:.0f} s after everything was well")


async def _check(tortured: Cluster, crowd: Crowd, result: Result) -> None:
    settings = tortured.settings
    store = ObjectStore(settings)
    owner = Database(settings.database_url.get_secret_value())
    for document in {writer.record.document: None for writer in crowd.writers}:
        records = crowd.records(document)
        result.typed += sum(len(record.typed) for record in records)
        result.acknowledged += sum(record.acknowledged for record in records)
        async with owner.transaction(org_ids=[crowd.world.org_id]) as session:
            seq = await session.scalar(
                sql("SELECT seq FROM document_streams WHERE document_id = :id"), {"id": document}
            )
            entries = await history.entries(session, store, document, after=0, upto=int(seq or 0), quarantined=True)
            sockets = await from_sockets(session, document)
            findings = await revisions.verify(session, store, document)
            newest = await revisions.newest_stored(session, document)
        result.updates += len(entries)
        replayed = checks.replay([entry.payload for entry in entries])
        result.lost += checks.lost(replayed[1], records)
        replicas = {"the journal's replay": replayed} | await _replicas(tortured, crowd, document, replayed[0])
        wrong = list(checks.journal(entries, records, sockets))
        wrong += [*checks.content(replayed[1], records), *checks.same(replicas)]
        wrong += [f"{finding.check}: {finding.detail}" for finding in findings if not finding.ok]
        if newest is None or newest.seq_to != seq:
            wrong.append(f"the newest snapshot is of seq {newest and newest.seq_to}, the journal ends at {seq}")
        result.wrong += [f"{document}: {line}" for line in wrong]
    await owner.close()
    await store.close()


async def from_sockets(session: AsyncSession, document: UUID) -> set[int]:
    """The seqs of what editors wrote, and not autosaves."""
    return set(await session.scalars(_FROM_SOCKETS, {"id": document}))


async def _replicas(tortured: Cluster, crowd: Crowd, document: UUID, state: bytes) -> dict[str, tuple[bytes, str]]:
    """Every copy of a document: each editor's, once it has had time to hear of everything, and what the api answers."""
    editors = [editor for editor in crowd.editors if editor.record.document == document]

    async def heard() -> bool:
        return all(checks.clocks(editor.doc.get_state()) == checks.clocks(state) for editor in editors)

    await until(heard, 30)
    replicas = {f"editor {e.record.writer}": (e.doc.get_state(), str(e.text)) for e in editors}
    headers = crowd.savers[0].headers
    async with client() as api:
        for number, url in enumerate(tortured.apis, start=1):
            answer = await api.get(f"{url}/documents/{document}/state", headers=headers)
            replicas[f"the state from api-{number}"] = checks.replay([answer.raise_for_status().content])
    return replicas
