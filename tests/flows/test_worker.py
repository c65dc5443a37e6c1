"""A worker process: it can be killed at any time, and stops when it is asked to."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from functools import partial

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from flows import runtime
from flows.runtime import Runtime
from tests.flows.desk import Desk, dispatching, ended, port_of, settled, typing, until
from tests.flows.valve import Valve, through


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def start(worker: Runtime, port: int, **changes: str) -> Process:
    """A worker process that serves the database of these tests."""
    settings = worker.settings
    environment = {
        "DOXIE_HOME": str(settings.home),
        "DOXIE_DATABASE_URL": settings.database_url.get_secret_value(),
        "DOXIE_APP_DATABASE_URL": settings.app_database_url.get_secret_value(),
        "DOXIE_FLOWS_PORT": str(port),
        **changes,
    }
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "flows", env=os.environ | environment, cwd="/")


async def is_ready(port: int) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/readyz")).is_success
        except httpx.TransportError:
            return False


async def is_claimed(worker: Runtime) -> bool:
    async with worker.db.transaction() as session:
        return bool(await session.scalar(text("SELECT count(*) FROM outbox WHERE lease_id IS NOT NULL")))


async def runs_of(worker: Runtime, document_id: object) -> list[tuple[object, str | None]]:
    async with httpx.AsyncClient(base_url=f"{worker.settings.prefect_ui_url}/api") as client:
        wanted = {"flow_runs": {"tags": {"all_": [f"doc:{document_id}"]}}, "sort": "EXPECTED_START_TIME_ASC"}
        found = (await client.post("/flow_runs/filter", json=wanted)).json()
        return [(run["id"], run["state_name"]) for run in found]


async def test_a_killed_worker_is_succeeded_and_its_run_ends(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    port = free_port()
    async with Valve(port_of(worker.settings.s3_endpoint)) as valve:
        process = await start(worker, port, DOXIE_S3_ENDPOINT=f"http://127.0.0.1:{valve.port}", DOXIE_LEASE_SECONDS="8")
        await until(partial(is_ready, port), 40)
        valve.hang()
        await desk.write(document_id, *typing("survives"))
        await until(partial(is_claimed, worker))
        await until(partial(is_running, worker, document_id))
        process.kill()
        await process.wait()
    async with dispatching(worker, lease_seconds=8):
        await settled(worker, [document_id])
        [(killed, _), (second, _)] = await runs_of(worker, document_id)
        await until(partial(has_crashed, worker, document_id), 40)
    [revision] = await desk.revisions(document_id)
    steps = await desk.ledger(document_id)
    assert [(step.step, step.state, step.attempts) for step in steps] == [
        ("fold", "succeeded", 2),
        ("store", "succeeded", 2),
        ("index", "succeeded", 2),
    ]
    assert str(revision.flow_run_id) == second != killed
    assert (await ended(worker, revision.flow_run_id)).state_name == "Completed"


async def test_what_an_outage_interrupted_is_given_back_after_it(worker: Runtime, desk: Desk) -> None:
    """And not left until its lease ends, which would count as if the document had killed its worker."""
    document_id = await desk.document()
    port = free_port()
    databases = {
        "DOXIE_DATABASE_URL": worker.settings.database_url.get_secret_value(),
        "DOXIE_APP_DATABASE_URL": worker.settings.app_database_url.get_secret_value(),
    }
    async with (
        Valve(port_of(worker.settings.s3_endpoint)) as s3,
        Valve(port_of(databases["DOXIE_DATABASE_URL"])) as postgres,
    ):
        process = await start(
            worker,
            port,
            DOXIE_S3_ENDPOINT=f"http://127.0.0.1:{s3.port}",
            DOXIE_LEASE_SECONDS="600",
            **{name: through(url, postgres) for name, url in databases.items()},
        )
        await until(partial(is_ready, port), 40)
        s3.hang()
        await desk.write(document_id, *typing("given back late"))
        await until(partial(is_running, worker, document_id))
        await postgres.close()
        await s3.close()
        await asyncio.sleep(3)
        assert await is_claimed(worker)
        await s3.open()
        await postgres.open()
        await settled(worker, [document_id], 90)
        process.terminate()
        await process.wait()
    assert len(await desk.revisions(document_id)) == 1


async def test_a_connection_that_leads_nowhere_holds_nothing_up(worker: Runtime, desk: Desk) -> None:
    """Whoever keeps it open takes every byte and never answers."""
    document_id = await desk.document()
    url = worker.settings.app_database_url.get_secret_value()
    async with Valve(port_of(worker.settings.s3_endpoint)) as s3, Valve(port_of(url)) as postgres:
        changes = {"s3_endpoint": f"http://127.0.0.1:{s3.port}", "app_database_url": SecretStr(through(url, postgres))}
        settings = worker.settings.model_copy(update=changes)
        async with runtime.opened_with(settings) as behind, dispatching(behind, lease_seconds=600):
            s3.hang()
            await desk.write(document_id, *typing("through"))
            await until(partial(is_running, worker, document_id))
            postgres.orphan()
            await s3.open()
            await settled(worker, [document_id], 90)
    assert len(await desk.revisions(document_id)) == 1


async def test_a_worker_stops_when_it_is_asked_to(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    port = free_port()
    async with Valve(port_of(worker.settings.s3_endpoint)) as valve:
        process = await start(worker, port, DOXIE_S3_ENDPOINT=f"http://127.0.0.1:{valve.port}")
        await until(partial(is_ready, port), 40)
        async with httpx.AsyncClient() as client:
            metrics = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        assert 'doxie_outbox_events{kind="document.changed"} 0' in metrics
        valve.hang()
        await desk.write(document_id, *typing("given back"))
        await until(partial(is_running, worker, document_id))
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 12) == 0
        assert not await is_claimed(worker)
    async with dispatching(worker):
        await settled(worker, [document_id])
    assert len(await desk.revisions(document_id)) == 1


async def is_running(worker: Runtime, document_id: object) -> bool:
    return [state for _, state in await runs_of(worker, document_id)] == ["Running"]


async def has_crashed(worker: Runtime, document_id: object) -> bool:
    return (await runs_of(worker, document_id))[0][1] == "Crashed"
