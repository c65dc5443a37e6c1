"""Crowds: what an idle socket takes, and how long everybody needs to come back at once."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from tests.bench.collab.client import PATIENCE, Client, Target
from tests.bench.collab.servers import Server
from tests.bench.collab.typing import Numbers
from tests.bench.collab.visitor import Visitor

DOCUMENTS: Final = 50
CONNECTING_AT_ONCE: Final = 200


async def crowd(server: Server, sockets: int) -> Numbers:
    """Sockets that say nothing, spread over some documents: memory for each, and the storm of all of them."""
    await server.kill()
    await server.start()
    targets = [server.target(await server.document()) for _ in range(DOCUMENTS)]
    for target in targets[:20]:
        (await Client.connect(target)).cut()
    await asyncio.sleep(1)
    empty = server.rss()
    everybody = [targets[number % len(targets)] for number in range(sockets)]
    clients = await _enter(everybody)
    await asyncio.sleep(1)
    full = server.rss()
    for client in clients:
        client.cut()
    await asyncio.sleep(1)
    began = time.perf_counter()
    clients = await _enter(everybody)
    took = time.perf_counter() - began
    for client in clients:
        client.cut()
    await asyncio.sleep(0.5)
    return {f"{sockets} sockets KB each": (full - empty) / sockets / 1024, f"{sockets} sockets storm s": took}


async def _enter(targets: Sequence[Target]) -> list[Visitor]:
    """All of them, some at once: who has entered makes room for the next."""
    queue = iter(targets)
    inside: list[Visitor] = []

    async def usher() -> None:
        for target in queue:
            inside.append(await Visitor.enter(target))

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as ushers:
        for _ in range(CONNECTING_AT_ONCE):
            ushers.create_task(usher())
    return inside
