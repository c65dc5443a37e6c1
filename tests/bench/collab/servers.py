"""The servers that are compared, each in a process of its own that can be started, killed and asked what it used."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID, uuid4

from infra.storage import ObjectStore
from models import revisions
from tests.bench.collab import usage
from tests.bench.collab.client import Target
from tests.clients import node
from tests.collab.world import Collab, World, free_port

PEERS: Final = Path(__file__).parent.parent / "peers"
START_SECONDS: Final = 20.0
STORE_SECONDS: Final = 3.0
"""Hocuspocus stores a document at the latest so long after its last edit (`debounce` is 2 s)."""

Pids = Mapping[str, int]
"""The stores, by name."""


class Server(Protocol):
    """What is measured."""

    name: str
    acknowledges: bool
    """Whether it tells a client that an edit is saved."""

    async def start(self) -> None:
        """Start it, or start it again with what it had stored."""

    async def kill(self) -> None:
        """End it at once, as a crash would."""

    async def document(self) -> str:
        """The name of a new document."""

    async def persisted(self, name: str) -> None:
        """Wait until a document that everybody has left is stored the way that it is opened from."""

    def target(self, name: str) -> Target:
        """Where a client finds a document."""

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far: of the server, and of the stores it uses."""

    def rss(self) -> int:
        """Resident bytes of the server."""


class Doxie:
    """A collab process of ours, on the stores of the stack: journal and acknowledgements are on."""

    name = "doxie"
    acknowledges = True

    def __init__(self, world: World, stores: Pids) -> None:
        self._world = world
        self._stores = stores
        self._collab = Collab(world.settings)

    async def start(self) -> None:
        """Start a process on the same port."""
        await self._collab.start()

    async def kill(self) -> None:
        """End it at once."""
        await self._collab.kill()

    async def document(self) -> str:
        """A row, its stream, and nothing in it."""
        return str(await self._world.document())

    async def persisted(self, name: str) -> None:
        """Fold the journal into a snapshot, as the pipeline does."""
        store, document_id = ObjectStore(self._world.settings), UUID(name)
        async with self._world.db.transaction(org_ids=[self._world.org_id]) as session:
            for revision in await revisions.capture(session, document_id):
                folded = await revisions.fold(session, store, revision)
                stored = await revisions.store_snapshot(store, revision, folded)
                await revisions.settle(session, revision, folded, bytes_stored=stored, flow_run_id=None)
        await store.close()

    def target(self, name: str) -> Target:
        """As a y-websocket client that asks for acknowledgements."""
        token = self._world.token(UUID(name))
        return Target(f"{self._collab.url}/{name}?token={token}&ack=1", name)

    def cpu(self) -> dict[str, float]:
        """Of the process, Postgres and Valkey."""
        stores = {store: usage.cpu_seconds(pid) for store, pid in self._stores.items()}
        return {"server": usage.cpu_seconds(self._collab.pid), **stores}

    def rss(self) -> int:
        """Of the process and its children."""
        return usage.rss_bytes(self._collab.pid)


class Peer:
    """A Node process that serves one of the peers; it stores what it stores in a directory."""

    def __init__(
        self, name: str, script: str, directory: Path, *, arguments: tuple[str, ...] = (), stores: Pids | None = None
    ) -> None:
        self.name = name
        self._hocuspocus = script == "hocuspocus.mjs"
        self.acknowledges = self._hocuspocus
        self._script = script
        self._directory = directory
        self._arguments = arguments
        self._stores = stores or {}
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it on the same port and directory, and wait until it listens."""
        self._directory.mkdir(parents=True, exist_ok=True)
        log = (self._directory / "log").open("ab")
        command = [
            node.executable(),
            str(PEERS / self._script),
            str(self._port),
            str(self._directory),
            *self._arguments,
        ]
        self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, cwd=PEERS)
        log.close()
        async with asyncio.timeout(START_SECONDS):
            while True:
                with suppress(OSError):
                    (await asyncio.open_connection("127.0.0.1", self._port))[1].close()
                    return
                if self._process.returncode is not None:
                    raise RuntimeError(f"{self.name} does not start: see {self._directory / 'log'}")
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def document(self) -> str:
        """Any name will do."""
        return str(uuid4())

    async def persisted(self, name: str) -> None:
        """Wait for its debounce."""
        await asyncio.sleep(STORE_SECONDS)

    def target(self, name: str) -> Target:
        """Hocuspocus has the name in every message, y-websocket in the URL."""
        url = f"ws://127.0.0.1:{self._port}/"
        return Target(url, name, "token", multiplexed=True) if self._hocuspocus else Target(url + name, name)

    def cpu(self) -> dict[str, float]:
        """Of the process, and of Valkey where it uses it."""
        stores = {store: usage.cpu_seconds(pid) for store, pid in self._stores.items()}
        return {"server": usage.cpu_seconds(self._pid), **stores}

    def rss(self) -> int:
        """Of the process."""
        return usage.rss_bytes(self._pid)

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid
