"""Prefect shows the work, and nothing waits for it."""

import asyncio
import time
from functools import partial

import pytest
from prefect import flow

from flows import recording, runtime
from flows.dispatch import Dispatcher
from flows.runtime import Runtime
from tests.flows.desk import Desk, dispatching, ended, port_of, settled, typing, until
from tests.flows.valve import Valve


@pytest.mark.parametrize("how", ["refuses", "hangs"])
async def test_prefect_is_down_and_comes_back(worker: Runtime, desk: Desk, how: str) -> None:
    unseen, seen = await desk.document(), await desk.document()
    async with Valve(port_of(worker.settings.prefect_ui_url)) as valve:
        if how == "hangs":
            valve.hang()
        else:
            await valve.close()
        async with dispatching(worker, prefect_ui_url=f"http://127.0.0.1:{valve.port}") as dispatcher:
            await desk.write(unseen, *typing("unseen"))
            await settled(worker, [unseen], seconds=5)
            assert {step.flow_run_id for step in await desk.ledger(unseen)} == {None}
            await valve.open()
            await until(partial(prefect_is_up, dispatcher))
            await desk.write(seen, *typing("seen"))
            await settled(worker, [seen])
    [revision] = await desk.revisions(seen)
    assert (await ended(worker, revision.flow_run_id)).state_name == "Completed"


async def test_prefect_dies_during_a_run(worker: Runtime, desk: Desk) -> None:
    documents = [await desk.document() for _ in range(2)]
    async with (
        Valve(port_of(worker.settings.prefect_ui_url)) as valve,
        dispatching(worker, prefect_ui_url=f"http://127.0.0.1:{valve.port}") as dispatcher,
    ):
        await until(partial(prefect_is_up, dispatcher))
        valve.hang()  # it still counts as up
        started = time.monotonic()
        for document_id in documents:
            await desk.write(document_id, *typing("anyway"))
        await settled(worker, documents)
        assert time.monotonic() - started < 15
    for document_id in documents:
        assert len(await desk.revisions(document_id)) == 1
        assert len(await desk.ledger(document_id)) == 3


async def test_what_is_cancelled_does_not_begin_again(worker: Runtime) -> None:
    """Although Prefect, which goes at that moment, cannot be told of it."""
    begun = asyncio.Queue[None]()

    @flow(name="waits", persist_result=False, result_storage=runtime.NOWHERE)
    async def waits() -> None:
        begun.put_nowait(None)
        await asyncio.Event().wait()

    async with Valve(port_of(worker.settings.prefect_ui_url)) as valve:
        settings = worker.settings.model_copy(update={"prefect_ui_url": f"http://127.0.0.1:{valve.port}"})
        async with recording.opened(settings) as recorder:
            running = asyncio.create_task(recorder.run(waits, {}, name="waits", tags=[]))
            await begun.get()
            await valve.close()
            running.cancel()
            await asyncio.wait([running, again := asyncio.create_task(begun.get())], return_when="FIRST_COMPLETED")
            assert not again.done()
            again.cancel()
            assert running.cancelled()
            assert recorder.unrecorded == 0
            await valve.open()


async def prefect_is_up(dispatcher: Dispatcher) -> bool:
    return dispatcher.recorder is not None and await dispatcher.recorder.is_up()
