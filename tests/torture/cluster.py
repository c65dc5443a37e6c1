"""What is tortured: two api, two collab, a pipeline worker, four stores, a valve on every connection between them."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from infra.settings import Settings
from infra.stack import postgres, probes
from infra.stack.files import read_env
from tests.collab.world import free_port
from tests.flows.valve import Valve
from tests.torture import faults
from tests.torture.faults import Fault
from tests.torture.processes import Ours, Store, Victim, family, tell, until

SERVICES = ("postgres", "redis", "s3", "prefect", "migrate", "buckets")
"""What the stack has to run; the rest is started here."""
BACK_SECONDS = 300.0
OURS = {"api-1": "api", "api-2": "api", "collab-1": "collab", "collab-2": "collab", "flows": "flows"}
_SLOW_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that happened: seconds since the start, and how long until its target was well again."""

    at: float
    fault: Fault
    recovery: float | None
    """None: it did not come back in time."""


@dataclass(slots=True)
class Cluster:
    """Everything that runs."""

    settings: Settings
    victims: dict[str, Victim] = field(default_factory=dict)
    valves: dict[str, Valve] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def apis(self) -> list[str]:
        """Where clients find the REST door."""
        return [f"http://127.0.0.1:{self.valves[f'clients > {name}'].port}/api/v1" for name in ("api-1", "api-2")]

    @property
    def collabs(self) -> list[str]:
        """Where clients find the socket door."""
        return [f"ws://127.0.0.1:{self.valves[f'clients > {name}'].port}/collab" for name in ("collab-1", "collab-2")]

    async def suffer(self, fault: Fault) -> None:
        """Let a fault happen, and wait until its target is well again."""
        if fault.kind == "kill":
            await self._kill(fault)
        elif fault.kind == "freeze":
            await self._freeze(fault)
        else:
            await self._disturb(fault)

    async def well(self) -> None:
        """Wait until everything answers.

        Raises:
            AssertionError: something does not come back.
        """
        for victim in self.victims.values():
            assert await until(victim.answers, BACK_SECONDS), f"{victim.name} does not come back"

    async def _kill(self, fault: Fault) -> None:
        name, _, part = fault.target.partition(" ")
        victim = self.victims[name]
        pid = await victim.pid()
        if part:
            parts = family(pid)[1:]
            if not parts:  # it is just starting: then it is killed itself
                parts = [pid]
            pid = parts[int(fault.chance * len(parts))]
        tell([pid], signal.SIGKILL)
        await self._until_back(victim, fault, time.monotonic())

    async def _freeze(self, fault: Fault) -> None:
        victim = self.victims[fault.target]
        pids = family(await victim.pid())
        tell(pids, signal.SIGSTOP)
        began = time.monotonic()
        await asyncio.sleep(fault.seconds)
        tell(pids, signal.SIGCONT)
        await self._until_back(victim, fault, began)

    async def _disturb(self, fault: Fault) -> None:
        valve, began = self.valves[fault.target], time.monotonic()
        match fault.kind:
            case "slow":
                valve.delay = _SLOW_SECONDS
                await asyncio.sleep(fault.seconds)
                valve.delay = 0.0
            case "hang":
                valve.hang()
                await asyncio.sleep(fault.seconds)
                await valve.open()
            case "refuse":
                await valve.close()
                await asyncio.sleep(fault.seconds)
                await valve.open()
            case "cut":
                valve.cut()
            case "orphan":
                valve.orphan()
            case _:
                raise ValueError(fault.kind)
        near, _, far = fault.target.partition(" > ")
        await self._until_back(self.victims[far if near == "clients" else near], fault, began)

    async def _until_back(self, victim: Victim, fault: Fault, began: float) -> None:
        if fault.kind == "kill" and " " not in fault.target:
            await asyncio.sleep(0.05)  # until the kernel has taken it away
        back = await until(victim.answers, BACK_SECONDS)
        self.hits.append(Hit(began - self.started, fault, time.monotonic() - began if back else None))


@asynccontextmanager
async def running(
    settings: Settings, logs: Path, *, sabotage: Mapping[str, str] | None = None
) -> AsyncIterator[Cluster]:
    """The cluster on the stores of a stack. `sabotage`: which of ours run with a bug of `tests.torture.sabotage`."""
    cluster = Cluster(settings)
    async with AsyncExitStack() as stack:
        ports = {name: free_port() for name in OURS}
        for link in faults.LINKS:
            near, _, far = link.partition(" > ")
            target = ports[far] if near == "clients" else _port(settings, far)
            cluster.valves[link] = await stack.enter_async_context(Valve(target))
        for name, port in ports.items():
            bug = (sabotage or {}).get(name)
            command = ["tests.torture.sabotage", bug] if bug else [OURS[name]]
            url = f"http://127.0.0.1:{port}"
            process = Ours(name, command, _environment(cluster, name, port), url, logs / f"{name}.log")
            cluster.victims[name] = process
            process.start()
            stack.push_async_callback(process.stop)
        cluster.victims |= {name: Store(name, settings.home, probe) for name, probe in _probes(settings).items()}
        await cluster.well()
        cluster.started = time.monotonic()
        yield cluster
        for valve in cluster.valves.values():
            await valve.open()


def _probes(settings: Settings) -> dict[str, probes.Probe]:
    keys = settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
    return {
        "postgres": probes.postgres(postgres.maintenance_url(settings.database_url.get_secret_value())),
        "redis": probes.redis(settings.redis_url.get_secret_value()),
        "s3": probes.s3(settings.s3_endpoint, *keys),
        "prefect": probes.http(f"{settings.prefect_ui_url}/api/health"),
    }


def _urls(settings: Settings) -> dict[str, dict[str, str]]:
    """The variables that name each store."""
    return {
        "postgres": {
            "DOXIE_DATABASE_URL": settings.database_url.get_secret_value(),
            "DOXIE_APP_DATABASE_URL": settings.app_database_url.get_secret_value(),
        },
        "redis": {"DOXIE_REDIS_URL": settings.redis_url.get_secret_value()},
        "s3": {"DOXIE_S3_ENDPOINT": settings.s3_endpoint},
        "prefect": {
            "PREFECT_API_URL": f"{settings.prefect_ui_url}/api",
            "DOXIE_PREFECT_UI_URL": settings.prefect_ui_url,
        },
    }


def _port(settings: Settings, store: str) -> int:
    return urlsplit(next(iter(_urls(settings)[store].values()))).port or 0


def _environment(cluster: Cluster, name: str, port: int) -> dict[str, str]:
    """Of one of our processes: everything it talks to is behind a valve."""
    variables = {**os.environ, **read_env(cluster.settings.home / "stack.env")} | {
        "DOXIE_HOME": str(cluster.settings.home),
        f"DOXIE_{OURS[name].upper()}_PORT": str(port),
        "DOXIE_RATE_LIMIT_FACTOR": "1000",
        "DOXIE_PERSIST_QUIET_SECONDS": "0.5",
        "DOXIE_PERSIST_MAX_AGE_SECONDS": "5",
        "DOXIE_LEASE_SECONDS": "15",
        "DOXIE_LOG_LEVEL": "WARNING",
    }
    for store, urls in _urls(cluster.settings).items():
        valve = cluster.valves.get(f"{name} > {store}")
        variables |= {variable: _through(url, valve) if valve else url for variable, url in urls.items()}
    return variables


def _through(url: str, valve: Valve) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{valve.port}")))
