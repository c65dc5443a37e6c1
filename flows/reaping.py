"""Flow runs whose worker died: Prefect takes them for running until somebody says otherwise."""

from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Crashed

from flows.runtime import Runtime
from infra import clock
from infra.logging import get_logger
from models import outbox

log = get_logger(__name__)

_LEASE = "lease:"
_KINDS = ["kind:persist", "kind:export"]


async def reap(runtime: Runtime, client: PrefectClient) -> int:
    """Mark the unfinished runs crashed whose lease has ended; how many.

    A run that ends while it is looked at keeps its state, and so does any younger than a lease.
    """
    try:
        runs = await _unfinished(client, older_than=timedelta(seconds=runtime.settings.lease_seconds))
        leases = {run.id: lease for run in runs if (lease := _lease_of(run)) is not None}
        if not leases:
            return 0
        async with runtime.db.transaction() as session:
            alive = await outbox.alive(session, list(leases.values()))
        dead = [run_id for run_id, lease in leases.items() if lease not in alive]
        for run_id in dead:
            await client.set_flow_run_state(run_id, Crashed(message="the worker died; its lease ended"))
    except Exception as error:
        log.warning("dead flow runs not looked for", error=repr(error))
        return 0
    if dead:
        log.info("dead flow runs ended", runs=[str(run_id) for run_id in dead])
    return len(dead)


async def _unfinished(client: PrefectClient, *, older_than: timedelta) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(any_=_KINDS),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING])),
            expected_start_time=FlowRunFilterExpectedStartTime(before_=clock.now() - older_than),
        ),
        sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        limit=200,
    )


def _lease_of(run: FlowRun) -> UUID | None:
    return next((UUID(tag.removeprefix(_LEASE)) for tag in run.tags if tag.startswith(_LEASE)), None)
