"""Scheduled flow runs say that they live, so that one whose process died is found out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from flows import runtime
from flows.runtime import Runtime
from infra.logging import get_logger
from models import pipeline

log = get_logger(__name__)


@asynccontextmanager
async def held(worker: Runtime, name: str) -> AsyncIterator[None]:
    """Hold the lease of the flow run that this code runs in; nothing to hold where there is none.

    It is not given up at the end, but ends by itself: by then Prefect has heard how the run ended, so that an
    unfinished run without a lease is one that died.
    """
    run_id = runtime.flow_run_id()
    if run_id is None:
        yield
        return
    await _hold(worker, run_id, name)
    keeper = asyncio.create_task(_keep(worker, run_id, name))
    try:
        yield
    finally:
        keeper.cancel()


async def _keep(worker: Runtime, run_id: UUID, name: str) -> None:
    while True:
        await asyncio.sleep(worker.settings.lease_seconds / 3)
        try:
            await _hold(worker, run_id, name)
        except Exception as error:
            log.warning("lease not prolonged", flow=name, error=repr(error))


async def _hold(worker: Runtime, run_id: UUID, name: str) -> None:
    async with worker.db.transaction() as session:
        await pipeline.hold(session, run_id, name, seconds=worker.settings.lease_seconds)
