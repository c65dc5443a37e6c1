"""Flow runs whose worker died: Prefect takes them for running until somebody says otherwise."""

from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from flows.recording import Recorder
from flows.runtime import Runtime
from infra import clock
from infra.logging import get_logger
from models import backups, outbox, pipeline

log = get_logger(__name__)

_LEASE = "lease:"
_LEASES_TO_START = {StateType.PENDING: 10.0, StateType.RUNNING: 1.5}
"""The time of so many leases has a scheduled run to take its own: first its process has to start, and import us all."""
_UNFINISHED = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING]))
_LEDGERS = {outbox.DOCUMENT_CHANGED: "persist", outbox.EXPORT_REQUESTED: "export"}
"""The pipelines that keep a ledger."""


def tag_of(installation: UUID) -> str:
    """What the runs of one deployment of Doxie are tagged with: two on one Prefect leave each other's alone."""
    return f"doxie:{installation}"


async def bury(runtime: Runtime, *, own: Collection[UUID] = ()) -> None:
    """Set aside what has killed worker after worker, and say so in its ledger.

    `own` are leases under which somebody is known to work, whether or not they could be prolonged.
    """
    try:
        async with runtime.db.transaction() as session:
            dead = await outbox.bury(session, own=own)
        for claim in dead:
            log.error("set aside", kind=claim.kind, subject_id=str(claim.subject_id))
            if name := _LEDGERS.get(claim.kind):
                async with runtime.db.transaction(org_ids=[claim.org_id]) as session:
                    note = pipeline.set_aside(claim, name, None, "the workers that tried died")
                    await pipeline.record(session, [note])
    except Exception as error:
        log.warning("nothing set aside", error=repr(error))


async def reap(runtime: Runtime, recorder: Recorder) -> int:
    """Mark the unfinished runs crashed whose lease has ended, or that never took one; how many.

    A run that ends while it is looked at keeps its state, and so does any younger than a lease.
    """
    try:
        dead = [*await _of_workers(runtime, recorder), *await _scheduled(runtime, recorder)]
        for run_id in dead:
            with suppress(ObjectNotFound):
                await recorder.client.set_flow_run_state(run_id, Crashed(message="its process died; its lease ended"))
            await _forget(runtime, [run_id])
    except Exception as error:
        log.warning("dead flow runs not looked for", error=repr(error))
        return 0
    if dead:
        log.info("dead flow runs ended", runs=[str(run_id) for run_id in dead])
    return len(dead)


async def _forget(runtime: Runtime, run_ids: list[UUID]) -> None:
    async with runtime.db.transaction() as session:
        await backups.abandon(session, run_ids)
        await pipeline.forget(session, run_ids)


async def _of_workers(runtime: Runtime, recorder: Recorder) -> list[UUID]:
    """Runs inside workers: their tags name the leases they work under."""
    runs = await _unfinished(recorder, older_than=timedelta(seconds=runtime.settings.lease_seconds))
    leases = {run.id: lease for run in runs if (lease := _lease_of(run)) is not None}
    if not leases:
        return []
    async with runtime.db.transaction() as session:
        alive = await outbox.alive(session, list(leases.values()))
    return [run_id for run_id, lease in leases.items() if lease not in alive]


async def _scheduled(runtime: Runtime, recorder: Recorder) -> list[UUID]:
    """Runs of deployments: each takes a lease of its own, which ends by itself once nobody prolongs it.

    One that died before it took its lease is known by the pool of this installation only.
    """
    lease = timedelta(seconds=runtime.settings.lease_seconds)
    async with runtime.db.transaction() as session:
        ended = await pipeline.ended_leases(session)
    unfinished = await _read(recorder, FlowRunFilter(id=FlowRunFilterId(any_=ended), state=_UNFINISHED))
    await _forget(runtime, sorted(set(ended) - {run.id for run in unfinished}))
    # A run that is tried again has the lease of the time before until it takes one anew.
    dead = {run.id for run in unfinished if _stands_for(run) > lease}
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[runtime.settings.work_pool]))
    started = await _read(recorder, FlowRunFilter(state=_UNFINISHED), pool)
    late = [run.id for run in started if run.state_type and _stands_for(run) > lease * _LEASES_TO_START[run.state_type]]
    if late:
        async with runtime.db.transaction() as session:
            dead |= set(late) - await pipeline.leased(session, late)
    return sorted(dead)


def _stands_for(run: FlowRun) -> timedelta:
    """How long a run has been in its state."""
    return clock.now() - run.state.timestamp if run.state is not None else timedelta(0)


async def _unfinished(recorder: Recorder, *, older_than: timedelta) -> list[FlowRun]:
    which = FlowRunFilter(
        tags=FlowRunFilterTags(all_=list(recorder.tags)),
        state=_UNFINISHED,
        expected_start_time=FlowRunFilterExpectedStartTime(before_=clock.now() - older_than),
    )
    return await _read(recorder, which)


async def _read(recorder: Recorder, which: FlowRunFilter, pool: WorkPoolFilter | None = None) -> list[FlowRun]:
    order = FlowRunSort.EXPECTED_START_TIME_ASC
    return await recorder.client.read_flow_runs(flow_run_filter=which, work_pool_filter=pool, sort=order, limit=200)


def _lease_of(run: FlowRun) -> UUID | None:
    return next((UUID(tag.removeprefix(_LEASE)) for tag in run.tags if tag.startswith(_LEASE)), None)
