"""The flow that erases organizations whose time to be restored is over."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

import models.migrations.tables  # noqa: F401 (every table, so that all rows are counted)
from flows import leases, runtime
from flows.runtime import Runtime
from infra import clock, postgres_tools
from infra.db import Database
from models import orgs
from models.backups import shelf


@dataclass(frozen=True, slots=True)
class Report:
    """What there was of an organization; says how much of what, and nothing of what it was."""

    org_id: UUID
    objects: int
    object_bytes: int
    rows: dict[str, int]

    def as_json(self) -> bytes:
        """To be kept."""
        counts = {"objects": self.objects, "object_bytes": self.object_bytes, "rows": self.rows}
        report = {"org_id": str(self.org_id), "erased_at": clock.now().isoformat(), **counts}
        return json.dumps(report, indent=2).encode()


@flow(
    name="erase_organizations", flow_run_name=runtime.dated("erase organizations"), retries=2, retry_delay_seconds=300
)
async def erase_organizations() -> State[Any]:
    """Erase what was deleted long enough ago: objects first, then rows. Done again, it finds only what is left."""
    reports, failures = [], []
    async with runtime.opened() as worker, leases.held(worker, "erase_organizations"):
        for org_id in await _due(worker):
            try:
                reports.append(await _erase(worker, org_id))
            except Exception as error:
                runtime.note(f"{org_id} is not erased: {error!r}")
                failures.append(f"{org_id}: {type(error).__name__}: {error}")
    erased = [report for report in reports if report is not None]
    rows = sum(sum(report.rows.values()) for report in erased)
    message = f"{len(erased)} organizations, {rows} rows, {sum(report.objects for report in erased)} objects"
    if failures:
        raise runtime.Incomplete("; ".join([message, *failures[:10]]))
    return Completed(message=message)


def report_key(org_id: UUID) -> str:
    """The name of the report in the object store, outside of what the organization has there."""
    return f"erased/{org_id}.json"


async def _due(worker: Runtime) -> list[UUID]:
    """Of all organizations, which only the role that owns the tables sees."""
    url = worker.settings.database_url.get_secret_value()
    await postgres_tools.require_all_rows(url)
    owner = Database(url, pool_size=1)
    try:
        async with owner.transaction() as session:
            return await orgs.due(session)
    finally:
        await owner.close()


async def _erase(worker: Runtime, org_id: UUID) -> Report | None:
    # Nobody can restore it any more. The objects go first: as long as the rows are there, it is found again.
    objects = await worker.store.list(f"orgs/{org_id}/")
    for key, _ in objects:
        await worker.store.delete(key)
    async with runtime.backup_store(worker) as store:
        await shelf.remove_all(store, org_id)
    async with worker.db.transaction(org_ids=[org_id]) as session:
        erased = await orgs.erase(session, org_id)
    if erased is None:
        return None
    report = Report(org_id, len(objects), sum(size for _, size in objects), erased.rows)
    await worker.store.put(report_key(org_id), report.as_json(), "application/json")
    runtime.note(f"erased {org_id}: {report.as_json().decode()}")
    return report
