"""What saving costs after it is accepted: the pipeline at 1, 10, 100 and 1 000 active documents.

In each round every document gets a burst of edits, as collab commits them; then the pipeline persists them all. The
CPU is that of the worker process, as its metrics say.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import httpx
from sqlalchemy import ARRAY, Uuid, bindparam, text

from infra.db import Database
from infra.settings import get_settings
from models.documents import Edit, journal
from tests.bench.report import Report
from tests.people import Pen, Person, sign_up

SERVICES = ("postgres", "redis", "s3", "prefect", "buckets", "migrate", "api", "flows")
ACTIVE = (1, 10, 100, 1_000)
EDITS = 10
"""Of each document in each round."""
ROUNDS = {1: 10, 10: 10, 100: 4, 1_000: 2}
PER_COMMIT = 500

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
    """One row for each number of active documents."""
    settings = get_settings()
    db = Database(settings.app_database_url.get_secret_value(), pool_size=4)
    report = Report("The pipeline: documents saved in bursts of 10 edits")
    async with sign_up(f"{settings.public_url}/api/v1", "Bench") as person, httpx.AsyncClient() as api:
        await person.found_org()
        metrics = f"http://127.0.0.1:{settings.flows_port}/metrics"
        for active in ACTIVE[:3] if quick else ACTIVE:
            report.rows.append(await _round(db, person, api, metrics, active))
    await db.close()
    return report


async def _round(
    db: Database, person: Person, api: httpx.AsyncClient, metrics: str, active: int
) -> dict[str, str | float | int]:
    documents = [UUID((await person.create_document())["id"]) for _ in range(active)]
    pens = {document_id: Pen() for document_id in documents}
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
