"""The whole comparison: all servers take turns at each measure, several times, and the medians count."""

import asyncio
import gc
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from infra import compiled, compiling
from infra.settings import get_settings
from infra.stack import home as homes
from infra.stack import state
from tests.bench.collab.crash import crash
from tests.bench.collab.crowds import crowd
from tests.bench.collab.opening import library, merged, opening, session, write
from tests.bench.collab.servers import PEERS, Doxie, Peer, Server
from tests.bench.collab.typing import Numbers, fan_out, throughput
from tests.clients import node
from tests.collab import world

SERVICES: Final = ("postgres", "redis", "s3", "migrate", "buckets")
AUDIENCES: Final = (2, 10, 50, 100)
SHELF: Final = 100
"""Documents of the library."""
PART: Final = 10_000
"""Keystrokes in each of them."""

Measured = dict[str, dict[str, float]]
"""Server → measure → median."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly to measure."""

    rounds: int
    typing_rounds: int
    """A p99 is a few keystrokes, which anything else on the machine may hold up."""
    seconds: float
    crowds: Sequence[int]


THOROUGH: Final = Effort(rounds=3, typing_rounds=7, seconds=3.0, crowds=(1_000, 5_000))
QUICK: Final = Effort(rounds=1, typing_rounds=1, seconds=2.0, crowds=(1_000,))


async def compare(effort: Effort) -> Measured:
    """Measure all servers: ours compiled, as it is in the image."""
    print("compiling …", file=sys.stderr, flush=True)
    try:
        await asyncio.to_thread(compiling.copy)
    except compiling.NoCompiler as error:
        print(f"doxie: as it is written, not compiled: {error}", file=sys.stderr, flush=True)
    await asyncio.to_thread(node.install, PEERS)
    tenant = await world.found(get_settings())
    with tempfile.TemporaryDirectory(prefix="doxie-peers-") as directory:
        servers = _servers(tenant, Path(directory))
        try:
            return await _compare(servers, effort)
        finally:
            for server in servers:
                await server.kill()
            await tenant.db.close()


def circumstances() -> dict[str, str]:
    """What was measured where."""
    return {
        "cpu": f"{os.cpu_count()} × {_processor()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "collab": "as it is written" if compiled.find() is None else "compiled",
        "servers": ", ".join(f"{name} {version}" for name, version in _versions().items()),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _servers(tenant: world.World, directory: Path) -> list[Server]:
    services = state.read(homes.at(None))
    pids = {name: entry.pid for name in ("postgres", "redis") if (entry := services[name]).pid is not None}
    redis = tenant.settings.redis_url.get_secret_value()
    return [
        Doxie(tenant, pids),
        Peer("hocuspocus", "hocuspocus.mjs", directory / "hocuspocus"),
        Peer(
            "hocuspocus+redis",
            "hocuspocus.mjs",
            directory / "hocuspocus-redis",
            arguments=(redis,),
            stores={"redis": pids["redis"]},
        ),
        Peer("y-websocket", "y-websocket.mjs", directory / "y-websocket"),
    ]


async def _compare(servers: Sequence[Server], effort: Effort) -> Measured:
    for server in servers:
        await server.start()
    turns = _Turns(servers)
    for _ in range(effort.typing_rounds):
        for clients in AUDIENCES:
            await turns.take(f"fan-out to {clients}", partial(fan_out, clients=clients))
        for documents, people in ((50, 2), (20, 4)):
            loop = partial(throughput, documents=documents, people=people, seconds=effort.seconds)
            await turns.take(f"{documents} documents of {people}", loop)
    await turns.take("kill -9", crash)
    await _openings(turns, effort)
    for sockets in effort.crowds:
        for _ in range(effort.rounds):
            await turns.take(f"{sockets} idle sockets", partial(crowd, sockets=sockets))
    return turns.medians()


async def _openings(turns: "_Turns", effort: Effort) -> None:
    whole = await asyncio.to_thread(session)
    part = await asyncio.to_thread(lambda: [merged(session(PART))])
    names: dict[str, str] = {}
    shelves: dict[str, list[str]] = {}

    async def play(server: Server) -> Numbers:
        names[server.name] = await server.document()
        await write(server, names[server.name], whole)
        await server.persisted(names[server.name])
        return {}

    async def fill(server: Server) -> Numbers:
        shelves[server.name] = [await server.document() for _ in range(SHELF)]
        for name in shelves[server.name]:
            await write(server, name, part)
        await server.persisted(shelves[server.name][-1])
        return {}

    await turns.take("playing the trace", play)
    for _ in range(effort.rounds):
        await turns.take("opening the trace", lambda server: opening(server, names[server.name], 100_000))
    await turns.take("filling a library", fill)
    await turns.take("opening the library", lambda server: library(server, shelves[server.name], 5_000))


class _Turns:
    """Servers one after another, in another order each time, and what they were measured at."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = list(servers)
        self._found: dict[str, dict[str, list[float]]] = {server.name: defaultdict(list) for server in servers}
        self._began = time.monotonic()

    async def take(self, what: str, measure: Callable[[Server], Awaitable[Numbers]]) -> None:
        """Measure each server once."""
        for server in self._servers:
            print(f"[{time.monotonic() - self._began:5.0f} s] {what}: {server.name}", file=sys.stderr, flush=True)
            gc.collect()
            gc.disable()  # no pauses of the driver
            try:
                numbers = await measure(server)
            finally:
                gc.enable()
            for name, value in numbers.items():
                self._found[server.name][name].append(value)
        self._servers = self._servers[1:] + self._servers[:1]

    def medians(self) -> Measured:
        """One number for each measure."""
        return {
            server: {name: statistics.median(values) for name, values in found.items()}
            for server, found in self._found.items()
        }


def _versions() -> dict[str, str]:
    wanted: dict[str, str] = json.loads((PEERS / "package.json").read_text())["dependencies"]
    return wanted


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
