"""What saving costs after it is accepted: the pipeline at 1, 10, 100 and 1 000 active documents.

In each round every document gets a burst of edits, as collab commits them; then the pipeline persists them all. The
CPU is that of the worker process, as its metrics say. Last, 80 % of the most that was persisted in a second is asked of
it for ten minutes, and the age of the oldest unpersisted edit is watched.
"""

import asyncio
import itertools
import json
import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import httpx
from sqlalchemy import ARRAY, Uuid, bindparam, text

from infra.db import Database
from infra.settings import get_settings
from models.documents import Edit, journal
from tests.bench import lines
from tests.bench.collab.run import circumstances
from tests.bench.report import DOCS, PAGE, Report, Row, section
from tests.people import Pen, Person, sign_up

SERVICES = ("postgres", "redis", "s3", "prefect", "buckets", "migrate", "api", "flows")
ACTIVE = (1, 10, 100, 1_000)
EDITS = 10
"""Of each document in each round."""
ROUNDS = {1: 10, 10: 10, 100: 4, 1_000: 2}
PER_COMMIT = 500
SHARE: Final = 0.8
STEADY_SECONDS: Final = 600.0
STEP_SECONDS: Final = 0.5
NUMBERS: Final = DOCS / "performance" / "pipeline.json"
PICTURE: Final = DOCS / "pictures" / "pipeline-load.svg"

_LEFT = text("SELECT count(*) FROM outbox WHERE subject_id = ANY(:documents)").bindparams(
    bindparam("documents", type_=ARRAY(Uuid))
)
_OLDEST = text("""
    SELECT COALESCE(EXTRACT(epoch FROM max(now() - created_at)), 0)::float8 FROM outbox WHERE kind = 'document.changed'
""")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the worker's metrics say."""

    cpu: float
    saved: float
    runs: float


async def run(quick: bool) -> Report:
    """One row for each number of active documents, and one for the steady load; published, unless it is quick."""
    settings = get_settings()
    db = Database(settings.app_database_url.get_secret_value(), pool_size=4)
    report = Report("The pipeline: documents saved in bursts of 10 edits")
    async with sign_up(f"{settings.public_url}/api/v1", "Bench") as person, httpx.AsyncClient() as api:
        await person.found_org()
        metrics = f"http://127.0.0.1:{settings.flows_port}/metrics"
        pens: dict[UUID, Pen] = {}
        for active in ACTIVE[:3] if quick else ACTIVE:
            pens = {UUID((await person.create_document())["id"]): Pen() for _ in range(active)}
            report.rows.append(await _round(db, person, api, metrics, pens))
        rate = SHARE * max(float(row["documents persisted/s"]) for row in report.rows)
        seconds = STEADY_SECONDS / 10 if quick else STEADY_SECONDS
        row, ages = await _steady(db, person, api, metrics, pens, rate, seconds)
    report.rows.append(row)
    await db.close()
    if not quick:
        _publish(report, ages, rate)
    return report


def _publish(report: Report, ages: Sequence[tuple[float, float]], rate: float) -> None:
    about = circumstances()
    NUMBERS.parent.mkdir(parents=True, exist_ok=True)
    NUMBERS.write_text(json.dumps({"about": about, "rows": report.rows, "ages": ages}, indent=1) + "\n")
    title = f"Age of the oldest unpersisted edit (s) over time (s), at {rate:.0f} documents a second"
    PICTURE.write_text(lines.draw(title, ages))
    text = f"""\
## The pipeline

![{title}](pictures/{PICTURE.name})

`./doxie bench pipeline`: documents get bursts of ten edits, and the worker persists them: folded, compressed, stored,
read back, searchable. An edit counts as unpersisted from its commit on, so its age includes the time that the pipeline
waits for quiet. The last row is {SHARE:.0%} of the most that was persisted in a second, asked of the worker for
{STEADY_SECONDS / 60:.0f} minutes.

{report.markdown()}
Measured on one machine, with everything else of the stack beside it ({about["cpu"]}, {about["date"]}).
"""
    section(PAGE, "pipeline", text)


async def _steady(
    db: Database,
    person: Person,
    api: httpx.AsyncClient,
    metrics: str,
    pens: Mapping[UUID, Pen],
    rate: float,
    seconds: float,
) -> tuple[Row, list[tuple[float, float]]]:
    """So many documents a second change, one after another; what it costs, and how old the oldest edit was when."""
    turn, ages, owed, accepted, accepting = itertools.cycle(pens.items()), [], 0.0, 0, 0.0
    before, started = await _read(api, metrics), time.perf_counter()
    while (now := time.perf_counter() - started) < seconds:
        owed = rate * now - accepted
        edits = [
            Edit(person.org_id, document_id, pen.write("a word "), None, None, "bench")
            for document_id, pen in itertools.islice(turn, int(owed))
        ]
        began = time.perf_counter()
        await _append(db, person.org_id, edits)
        accepting += time.perf_counter() - began
        accepted += len(edits)
        async with db.transaction() as session:
            ages.append((round(now, 1), round(float(await session.scalar(_OLDEST) or 0), 2)))
        await asyncio.sleep(STEP_SECONDS)
    took = time.perf_counter() - started
    await _settled(db, list(pens))
    after = await _read(api, metrics)
    saved, only = after.saved - before.saved, [age for _, age in ages]
    return {
        "active documents": f"{len(pens)}, {rate:.0f}/s for {seconds / 60:.0f} min",
        "edits accepted/s": round(accepted / accepting),
        "documents persisted/s": round(saved / took, 1),
        "CPU-ms a document": round(1000 * (after.cpu - before.cpu) / saved, 2),
        "CPU-ms an edit": round(1000 * (after.cpu - before.cpu) / accepted, 3),
        "flow runs/min": round(60 * (after.runs - before.runs) / took, 1),
        "oldest unpersisted s": f"median {statistics.median(only):.1f}, most {max(only):.1f}",
    }, ages


async def _round(db: Database, person: Person, api: httpx.AsyncClient, metrics: str, pens: Mapping[UUID, Pen]) -> Row:
    documents, active = list(pens), len(pens)
    before, accepting, started, oldest = await _read(api, metrics), 0.0, time.perf_counter(), 0.0
    for _ in range(ROUNDS[active]):
        edits = [
            Edit(person.org_id, document_id, pen.write("a word "), None, None, "bench")
            for _ in range(EDITS)
            for document_id, pen in pens.items()
        ]
        began = time.perf_counter()
        await _append(db, person.org_id, edits)
        accepting += time.perf_counter() - began
        oldest = max(oldest, await _settled(db, documents))
    took = time.perf_counter() - started
    after = await _read(api, metrics)
    saved, accepted = after.saved - before.saved, ROUNDS[active] * EDITS * active
    return {
        "active documents": active,
        "edits accepted/s": round(accepted / accepting),
        "documents persisted/s": round(saved / took, 1),
        "CPU-ms a document": round(1000 * (after.cpu - before.cpu) / saved, 2),
        "CPU-ms an edit": round(1000 * (after.cpu - before.cpu) / accepted, 3),
        "flow runs/min": round(60 * (after.runs - before.runs) / took, 1),
        "oldest unpersisted s": round(oldest, 1),
    }


async def _append(db: Database, org_id: UUID, edits: Sequence[Edit]) -> None:
    for start in range(0, len(edits), PER_COMMIT):
        async with db.transaction(org_ids=[org_id]) as session:
            await journal.append(session, edits[start : start + PER_COMMIT])


async def _settled(db: Database, documents: Sequence[UUID]) -> float:
    """Wait until all is persisted; how old the oldest unpersisted edit became."""
    oldest = 0.0
    while True:
        async with db.transaction() as session:
            if not await session.scalar(_LEFT, {"documents": list(documents)}):
                return oldest
            oldest = max(oldest, float(await session.scalar(_OLDEST) or 0))
        await asyncio.sleep(0.1)


async def _read(api: httpx.AsyncClient, metrics: str) -> Reading:
    shown = (await api.get(metrics)).raise_for_status().text

    def total(pattern: str) -> float:
        return sum(map(float, re.findall(rf"^{pattern} (\S+)$", shown, re.MULTILINE)))

    return Reading(
        cpu=total(r"doxie_flows_cpu_seconds_total\{.*\}"),
        saved=total(r'doxie_flows_documents_total\{outcome="succeeded"\}'),
        runs=total(r"doxie_flows_runs_total\{.*\}"),
    )
