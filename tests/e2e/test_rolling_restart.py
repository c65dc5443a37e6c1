"""Every process is restarted in turn while people read, save and edit: no request fails, and no edit is lost."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.collab.world import World, found, free_port
from tests.conftest import Stack
from tests.torture import checks
from tests.torture.clients import Editor, Saver, Writer
from tests.torture.processes import Ours, tell, until
from tests.torture.run import from_sockets

EACH = 2
"""So many processes of each door."""
DRAIN_SECONDS = 3.0


class Balancer:
    """A plain TCP balancer: each connection goes to the next process that is ready, as of a moment ago."""

    def __init__(self, processes: Sequence[Ours], ports: Sequence[int]) -> None:
        self._all = list(zip(processes, ports, strict=True))
        self._ready = list(ports)
        self._turn = 0
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Balancer"]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        looking = asyncio.create_task(self._look())
        try:
            yield self
        finally:
            looking.cancel()
            server.close()

    async def _look(self) -> None:
        while True:
            answers = [await process.answers() for process, _ in self._all]
            self._ready = [port for (_, port), ready in zip(self._all, answers, strict=True) if ready]
            await asyncio.sleep(0.2)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(50):
            for _ in self._ready:
                self._turn += 1
                with suppress(OSError, IndexError):
                    there, back = await asyncio.open_connection("127.0.0.1", self._ready[self._turn % len(self._ready)])
                    await asyncio.gather(_copy(reader, back), _copy(there, writer))
                    return
            await asyncio.sleep(0.1)
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def doors(stack: Stack, module: str, logs: Path) -> AsyncIterator[tuple[list[Ours], Balancer]]:
    """Two processes of a door, behind a balancer."""
    ports = [free_port() for _ in range(EACH)]
    processes = []
    async with AsyncExitStack() as running:
        for port in ports:
            environment = os.environ | {
                "DOXIE_HOME": str(stack.home),
                f"DOXIE_{module.upper()}_PORT": str(port),
                "DOXIE_DRAIN_SECONDS": str(DRAIN_SECONDS),
                "DOXIE_RATE_LIMIT_FACTOR": "1000",
                "DOXIE_LOG_LEVEL": "WARNING",
            }
            process = Ours(module, [module], environment, f"http://127.0.0.1:{port}", logs / f"{module}-{port}.log")
            process.start()
            running.push_async_callback(process.stop)
            processes.append(process)
        for process in processes:
            assert await until(process.answers, 90)
        yield processes, await running.enter_async_context(Balancer(processes, ports).running())


async def restart(process: Ours) -> None:
    """End it in order, and wait until its successor is ready."""
    before = await process.pid()
    tell([before], signal.SIGTERM)

    async def succeeded() -> bool:
        return await process.pid() != before and await process.answers()

    assert await until(succeeded, 120)


async def read(url: str, headers: dict[str, str], failures: list[str], stop: asyncio.Event) -> int:
    """Read one document again and again, over a connection that is kept as long as it may be; how often."""
    done = 0
    async with httpx.AsyncClient(headers=headers, timeout=30) as api:
        while not stop.is_set():
            try:
                answer = await api.get(url)
                if answer.status_code != 200:
                    failures.append(f"{answer.status_code} {answer.text[:100]}")
            except httpx.TransportError as error:
                failures.append(repr(error))
            done += 1
            await asyncio.sleep(0.02)
    return done


@pytest.fixture
async def world(stack: Stack) -> AsyncIterator[World]:
    made = await found(stack.settings)
    yield made
    await made.db.close()


@pytest.mark.long
async def test_every_process_is_restarted_and_nobody_notices(stack: Stack, world: World, tmp_path: Path) -> None:
    document = await world.document()
    actor = world.actor
    token = world.signer.issue("access", sub=str(actor.user_id), seconds=900, sid=str(actor.session_id))
    failures: list[str] = []
    async with doors(stack, "api", tmp_path) as (apis, rest), doors(stack, "collab", tmp_path) as (collabs, sockets):
        url, socket_url = f"http://127.0.0.1:{rest.port}/api/v1", f"ws://127.0.0.1:{sockets.port}/collab"

        def given(number: int) -> tuple[int, object, random.Random, object]:
            return number, document, random.Random(number), lambda _: None

        editors = [Editor(*given(n), urls=[socket_url], token=world.token, pause=0.03) for n in range(3)]
        savers = [Saver(*given(n), urls=[url], token=token, pause=0.05) for n in range(3, 6)]
        writers: list[Writer] = [*editors, *savers]
        stop = asyncio.Event()
        where, headers = f"{url}/documents/{document}", savers[0].headers
        readers = [asyncio.create_task(read(where, headers, failures, stop)) for _ in range(4)]
        writing = [asyncio.create_task(editor.run(stop)) for editor in editors]
        writing += [asyncio.create_task(saver.run(stop)) for saver in savers]
        for process in (*apis, *collabs):
            await restart(process)
        stop.set()

        async def clean() -> bool:
            return all(writer.clean for writer in writers)

        assert await until(clean, 60)
        assert sum(await asyncio.gather(*readers)) > 100
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
    assert failures == []
    assert [(saver.record.returns, saver.odd) for saver in savers] == [(0, [])] * 3, "each save was answered at once"
    records = [writer.record for writer in writers]
    entries = await world.journal(document)
    async with world.db.transaction(org_ids=[world.org_id]) as session:
        from_editors = await from_sockets(session, document)
    _, content = checks.replay([entry.payload for entry in entries])
    assert [*checks.journal(entries, records, from_editors), *checks.content(content, records)] == []
    assert min(record.acknowledged for record in records) > 20
