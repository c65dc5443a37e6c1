"""The flow that forgets old runs: steps in the ledger, and flow runs in Prefect."""

from datetime import datetime, timedelta
from typing import Any

from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import State
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed

from flows import leases, reaping, runtime
from infra import clock
from models import pipeline

AT_ONCE = 200


@flow(name="prune_runs", flow_run_name=runtime.dated("prune runs"), retries=1, retry_delay_seconds=60)
async def prune_runs() -> State[Any]:
    """Forget steps and runs that are older than the settings say. Revisions, segments and backups are not touched."""
    async with runtime.opened() as worker, runtime.owner(worker) as owner, leases.held(worker, "prune_runs"):
        settings, now = worker.settings, clock.now()
        async with owner.transaction() as session:
            steps = await pipeline.prune(session, before=now - timedelta(days=settings.ledger_keep_days))
            tag = reaping.tag_of(await pipeline.installation(session))
        async with get_client() as client:
            runs = await forget(client, tag, before=now - timedelta(days=settings.runs_keep_days))
    return Completed(message=f"{steps} steps and {runs} flow runs forgotten")


async def forget(client: PrefectClient, tag: str, *, before: datetime) -> int:
    """Delete this deployment's flow runs that ended before a moment from Prefect; how many."""
    wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[tag]), end_time=FlowRunFilterEndTime(before_=before))
    forgotten = 0
    # Always with an order: the server refuses the null that the client sends without one.
    order = FlowRunSort.ID_DESC
    while runs := await client.read_flow_runs(flow_run_filter=wanted, sort=order, limit=AT_ONCE):
        for run in runs:
            try:
                await client.delete_flow_run(run.id)
            except ObjectNotFound:
                continue
            forgotten += 1
    return forgotten
