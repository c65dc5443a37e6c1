"""People who type: how soon others see it, and how much a server can take."""

import asyncio
import time
from typing import Final

from tests.bench.collab import wire
from tests.bench.collab.client import Client
from tests.bench.collab.servers import Server
from tests.bench.collab.writers import Party
from tests.bench.report import percentiles

Numbers = dict[str, float]

KEYSTROKES: Final = 400
"""With one reader the p99 is the fourth longest of these."""
KEYSTROKE_SECONDS: Final = 0.01
WARM_UP_SECONDS: Final = 0.7
PATIENCE: Final = 60.0


async def fan_out(server: Server, clients: int) -> Numbers:
    """One types, the others see it: milliseconds from the keystroke to each of them."""
    target = server.target(await server.document())
    sent: list[float] = []
    took: list[float] = []

    def seen(_client: Client, update: bytes) -> None:
        now = time.perf_counter()
        took.extend(now - sent[clock] for _, start, end in wire.spans(update) for clock in range(start, end))

    writer = await Client.connect(target)
    readers = [await Client.connect(target, seen) for _ in range(clients - 1)]
    await asyncio.sleep(0.3)
    code = wire.code(0)
    for clock in range(KEYSTROKES):
        sent.append(time.perf_counter())
        writer.say(wire.message(wire.edit(code, clock)))
        await asyncio.sleep(KEYSTROKE_SECONDS)
    async with asyncio.timeout(PATIENCE):
        while len(took) < KEYSTROKES * len(readers):
            await asyncio.sleep(0.02)
    for client in (writer, *readers):
        client.cut()
    return {f"1→{clients} {name}": value for name, value in percentiles(took).items()}


async def throughput(server: Server, documents: int, people: int, seconds: float) -> Numbers:
    """Everybody types on as soon as all others have the last keystroke.

    It ends when everything is saved, where the server says so: what it still owes by then counts. The processor time of
    the server and of its stores is per keystroke.
    """
    party = Party(acknowledged=server.acknowledges)
    await party.join([server.target(await server.document()) for _ in range(documents)], people)
    party.start()
    await asyncio.sleep(WARM_UP_SECONDS)
    before, began, cpu = party.delivered, time.perf_counter(), server.cpu()
    await asyncio.sleep(seconds)
    party.stop()
    await party.settled(PATIENCE)
    delivered, took, used = party.delivered - before, time.perf_counter() - began, server.cpu()
    party.leave()
    name = f"{documents}×{people}"
    shares = {f"{name} {part} µs/op": (used[part] - cpu[part]) / delivered * 1e6 for part in used}
    return {f"{name} ops/s": delivered / took, **shares}
