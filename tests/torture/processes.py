"""Processes that are killed: ours, which are started again here, and the stores, which the supervisor starts again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import httpx

from infra.stack import probes
from infra.stack.probes import Probe

RESTART_SECONDS = 0.1
STEADY_SECONDS = 2.5
"""The supervisor gives up on what dies five times in a row within two seconds: a store is left alone for so long."""


class Victim(Protocol):
    """A process that can be killed and comes back."""

    name: str

    async def pid(self) -> int:
        """Its process id, as soon as there is one that may be killed."""
        ...

    async def answers(self) -> bool:
        """Whether it does its work."""
        ...


class Ours:
    """A process of ours, started again whenever it ends."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], url: str, log: Path) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *command]
        self._environment = dict(environment)
        self._probe = probes.http(f"{url}/readyz")
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run it from now on."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> int:
        """End it in order, for good; its exit code."""
        if self._keeper is None or self._process is None:
            return 0
        self._keeper.cancel()
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(30):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()

    async def pid(self) -> int:
        """Its process id."""
        while self._process is None or self._process.returncode is not None:
            await asyncio.sleep(0.02)
        return self._process.pid

    async def answers(self) -> bool:
        """Whether it is ready."""
        return await _answers(self._probe)

    async def _keep(self) -> None:
        with self._log.open("ab") as log:
            while True:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
                )
                await self._process.wait()
                await asyncio.sleep(RESTART_SECONDS)


class Store:
    """A service of the stack."""

    def __init__(self, name: str, home: Path, probe: Probe) -> None:
        self.name = name
        self._state = home / "stack.json"
        self._probe = probe
        self._steady: tuple[int, float] = (0, 0.0)

    async def pid(self) -> int:
        """Its process id, once it has been ready for a while."""
        while True:
            entry = self._entry()
            now = asyncio.get_running_loop().time()
            if entry["state"] != "ready" or entry["pid"] != self._steady[0]:
                self._steady = (entry["pid"] if entry["state"] == "ready" else 0, now)
            elif now - self._steady[1] > STEADY_SECONDS:
                return int(entry["pid"])
            await asyncio.sleep(0.05)

    async def answers(self) -> bool:
        """Whether it does its work."""
        return self._entry()["state"] == "ready" and await _answers(self._probe)

    def _entry(self) -> dict[str, Any]:
        try:
            entry: dict[str, Any] = json.loads(self._state.read_text())[self.name]
        except FileNotFoundError:
            raise RuntimeError(f"the stack has given up: see {self._state.parent}/logs/supervisor.log") from None
        return entry


async def _answers(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(2):
            await probe()
    except Exception:
        return False
    return True


async def until(true: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Wait until something is true; whether it was in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not await true():
                await asyncio.sleep(0.05)
            return True
    return False


def family(pid: int) -> list[int]:
    """A process and all it has started, itself first."""
    children: dict[int, list[int]] = {}
    for parent, child in _relations():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def tell(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to all that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _relations() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            yield int(fields[1]), int(entry.name)


def client() -> httpx.AsyncClient:
    """Short of patience: whoever does not answer soon is asked again."""
    return httpx.AsyncClient(timeout=httpx.Timeout(8, connect=2), limits=httpx.Limits(keepalive_expiry=2))
