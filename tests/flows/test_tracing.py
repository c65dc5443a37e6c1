"""A trace goes from a request, or a socket's commit, through the outbox to the flow run that did what it caused."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect

from api.main import create_app
from collab import protocol
from flows.runtime import Runtime
from infra import clock, tracing
from infra.tokens import Signer
from models import auth
from tests.collab.sockets import Editor
from tests.collab.world import World, found, running
from tests.conftest import Stack
from tests.flows.desk import Desk, dispatching, settled, typing
from tests.infra.otlp import Collector, collector

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
async def world(stack: Stack) -> AsyncIterator[World]:
    made = await found(stack.settings)
    yield made
    await made.db.close()


@pytest.fixture
def collected() -> Iterator[Collector]:
    with collector() as made:
        yield made
        tracing.finish()


async def access_token(worker: Runtime, desk: Desk) -> str:
    async with worker.db.transaction() as session:
        row = auth.AuthSession(user_id=desk.actor.user_id, expires_at=clock.now().replace(year=2100))
        session.add(row)
    signer = Signer.from_settings(worker.settings)
    return signer.issue("access", sub=str(desk.actor.user_id), seconds=60, sid=str(row.id))


async def test_from_a_request_to_the_flow_run(worker: Runtime, desk: Desk, collected: Collector) -> None:
    document_id = await desk.document()
    app = create_app(worker.settings.model_copy(update={"otlp_endpoint": collected.url}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        headers = {
            "authorization": f"Bearer {await access_token(worker, desk)}",
            "content-type": "application/octet-stream",
            "traceparent": f"00-{TRACE}-{CALLER}-01",
        }
        async with httpx.AsyncClient(transport=transport, base_url="http://doxie.test/api/v1") as api:
            path = f"/documents/{document_id}/updates"
            (await api.post(path, content=typing("a")[0], headers=headers)).raise_for_status()
        async with dispatching(worker):
            await settled(worker, [document_id])
    [row, *_] = await desk.ledger(document_id)
    request = collected.named("POST /documents/{document_id}/updates")
    commit = collected.named("commit autosaves")
    work = collected.named("work on document.changed")
    run = collected.named("flow persist_documents")
    assert {span.trace for span in (request, commit, work, run)} == {TRACE}
    assert [request.parent, commit.parent, work.parent, run.parent] == [CALLER, request.id, commit.id, work.id]
    assert request.attributes["doxie.status"] == 202
    assert run.attributes["doxie.flow_run_id"] == str(row.flow_run_id)
    assert work.attributes["doxie.subject_id"] == str(document_id)


async def test_what_a_socket_wrote_is_traced_from_its_commit(world: World, collected: Collector) -> None:
    document_id = await world.document()
    async with (
        running(world.settings, DOXIE_OTLP_ENDPOINT=collected.url) as collab,
        connect(f"{collab.url}/{document_id}?token={world.token(document_id)}&ack=1") as socket,
    ):
        await socket.send(protocol.update(Editor(1).type("x")))
        async with asyncio.timeout(10):
            while await socket.recv() != protocol.sync_status(saved=True):
                pass
        [(cause,)] = await world.rows(
            f"SELECT payload ->> 'traceparent' FROM outbox WHERE subject_id = '{document_id}'"
        )
        assert await collab.stop() == 0
    commit = collected.named("commit edits")
    assert commit.service == "doxie-collab"
    assert cause == f"00-{commit.trace}-{commit.id}-03"
    assert commit.attributes == {"doxie.edits": 1, "doxie.documents": 1}


async def test_who_is_not_asked_for_traces_makes_none(worker: Runtime, desk: Desk) -> None:
    assert tracing.traceparent() == ""
    assert tracing.span("one") is tracing.span("other")
    document_id = await desk.document()
    await desk.write(document_id, *typing("a"))
    async with worker.db.transaction() as session:
        query = text("SELECT payload FROM outbox WHERE subject_id = :id")
        assert await session.scalar(query, {"id": document_id}) == {}
