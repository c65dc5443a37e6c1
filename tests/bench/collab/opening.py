"""Opening documents: the real trace, cold and warm, and the memory that open documents take."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import pycrdt

from flows.demo import trace
from flows.demo.player import Typist
from tests.bench.collab import wire
from tests.bench.collab.client import Client
from tests.bench.collab.servers import Server
from tests.bench.collab.typing import PATIENCE, Numbers

AHEAD: Final = 400
WARM_OPENS: Final = 3


def session(limit: int | None = None) -> list[bytes]:
    """The updates of the recorded session, as a browser sends them."""
    typist = Typist()
    return [typist.type(burst) for burst in trace.load(limit).batches()]


def merged(stream: Sequence[bytes]) -> bytes:
    """All updates as one."""
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    for update in stream:
        doc.apply_update(update)
    return doc.get_update()


async def opening(server: Server, name: str, size: int) -> Numbers:
    """Milliseconds until a client has the trace: from a process that has just started, and once it is open there."""
    await server.kill()
    await server.start()
    other = await Client.connect(server.target(await server.document()))
    await asyncio.sleep(0.5)
    cold, holder = await _opened(server, name, size)
    warm = []
    for _ in range(WARM_OPENS):
        took, client = await _opened(server, name, size)
        client.cut()
        warm.append(took)
    other.cut()
    holder.cut()
    return {"open cold ms": cold, "open warm ms": min(warm)}


async def library(server: Server, names: Sequence[str], size: int) -> Numbers:
    """Open documents of a process that has just started, with a socket at each: memory for each, and how fast."""
    await server.kill()
    await server.start()
    (await Client.connect(server.target(await server.document()))).cut()
    await asyncio.sleep(1)
    empty, began = server.rss(), time.perf_counter()
    opened = [await _opened(server, name, size) for name in names]
    took = time.perf_counter() - began
    await asyncio.sleep(1)
    full = server.rss()
    for _, client in opened:
        client.cut()
    return {"KB/open document": (full - empty) / len(names) / 1024, "documents opened/s": len(names) / took}


async def write(server: Server, name: str, stream: Sequence[bytes]) -> None:
    """Play updates into a document and leave once everything is there."""
    writer = await Client.connect(server.target(name))
    await asyncio.sleep(0.05)
    saved = 0

    def count() -> None:
        nonlocal saved
        saved += 1

    async def until(enough: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while server.acknowledges and saved < enough:
                await asyncio.sleep(0.005)

    writer.on_saved = count
    for number, update in enumerate(stream, 1):
        writer.say(wire.message(update))
        if number % 100 == 0:
            await until(number - AHEAD)
            await asyncio.sleep(0.01)
    await until(len(stream))
    if not server.acknowledges:
        await asyncio.sleep(0.02 + len(stream) / 10_000)
    writer.cut()


async def _opened(server: Server, name: str, size: int) -> tuple[float, Client]:
    """Milliseconds until a client has a document of this size, which y-websocket may send after an empty one."""
    target, complete = server.target(name), asyncio.Event()

    def heard(_client: Client, update: bytes) -> None:
        if len(update) >= size:
            complete.set()

    began = time.perf_counter()
    client = await Client.connect(target, heard)
    if len(client.content) < size:
        async with asyncio.timeout(PATIENCE):
            await complete.wait()
    return (time.perf_counter() - began) * 1000, client
