"""Telling Prefect, once it is back, of the runs that were done while it was away."""

from flows.recording import Recorder
from flows.runtime import Runtime
from infra.logging import get_logger
from models import pipeline

log = get_logger(__name__)

AT_ONCE = 20


async def record(runtime: Runtime, recorder: Recorder) -> int:
    """Record some of them, and name the runs in the ledgers of what they did; how many.

    A worker that dies between the two tells of a run twice; the ledger names the later one.
    """
    done = 0
    try:
        async with runtime.db.transaction() as session:
            owed = await pipeline.owed(session, limit=AT_ONCE)
        for run in owed:
            flow_run_id = await recorder.record_late(run)
            async with runtime.db.transaction(org_ids=run.org_ids) as session:
                await pipeline.name(session, run, flow_run_id)
            done += 1
    except Exception as error:
        log.warning("runs not recorded later", error=repr(error))
    if done:
        log.info("runs recorded later", runs=done)
    return done
