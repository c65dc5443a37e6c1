"""A tenant with documents, and collab processes to open them at: what the integration tests start from."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import httpx
from sqlalchemy import text

from infra import clock
from infra.bus import Bus, Kind, Revocation
from infra.db import Database
from infra.settings import Settings
from infra.tokens import Signer
from models import auth, documents, orgs
from models.auth import Actor
from models.documents import journal

Access = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class World:
    """Somebody signed in, their organization, and the stores."""

    settings: Settings
    db: Database
    signer: Signer
    actor: Actor
    org_id: UUID

    async def document(self) -> UUID:
        """A new, empty document."""
        async with self.db.transaction(user_id=self.actor.user_id, org_ids=[self.org_id]) as session:
            scope = await orgs.enter(session, self.actor, self.org_id)
            return (await documents.create(session, scope, title="A document")).id

    async def trash(self, document_id: UUID) -> None:
        """Put a document into the trash."""
        async with self.db.transaction(user_id=self.actor.user_id, org_ids=[self.org_id]) as session:
            await documents.trash(session, await orgs.enter(session, self.actor, self.org_id), document_id)

    def token(self, document_id: UUID, access: Access = "write", *, user_id: UUID | None = None) -> str:
        """A token for a document, as the REST door would issue it."""
        return self.signer.issue(
            "collab",
            sub=str(user_id or self.actor.user_id),
            seconds=600,
            sid=str(self.actor.session_id),
            org=str(self.org_id),
            doc=str(document_id),
            access=access,
            name=self.actor.name,
        )

    async def journal(self, document_id: UUID) -> list[journal.Entry]:
        """Everything in a document's journal."""
        async with self.db.transaction(org_ids=[self.org_id]) as session:
            return await journal.tail(session, document_id, after=0)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in the organization."""
        async with self.db.transaction(user_id=self.actor.user_id, org_ids=[self.org_id]) as session:
            return [tuple(row) for row in await session.execute(text(query))]

    async def autosave(self, document_id: UUID, payload: bytes) -> None:
        """Journal an update and tell the others, as the REST door does."""
        bus = Bus(self.settings.redis_url.get_secret_value())
        seq = await self.edit(document_id, payload)
        await bus.publish(document_id, Kind.UPDATE, payload, seq=seq)
        await bus.close()

    async def sign_out(self) -> None:
        """End the session, and tell every process."""
        assert self.actor.session_id is not None
        async with self.db.transaction(user_id=self.actor.user_id) as session:
            await auth.revoke(session, self.actor, self.actor.session_id)
        bus = Bus(self.settings.redis_url.get_secret_value())
        await bus.revoke(Revocation(session_id=self.actor.session_id))
        await bus.close()

    async def edit(self, document_id: UUID, payload: bytes) -> int:
        """Journal an update without telling anybody."""
        edit = documents.Edit(self.org_id, document_id, payload, self.actor.user_id, None, "rest")
        async with self.db.transaction(org_ids=[self.org_id]) as session:
            return (await journal.append(session, [edit]))[0]


async def found(settings: Settings) -> World:
    """A new tenant."""
    db = Database(settings.app_database_url.get_secret_value())
    async with db.transaction() as session:
        user = await auth.register(session, email=f"{clock.new_id()}@example.org", name="Ada", password_hash="unusable")
        session_row = auth.AuthSession(user_id=user.id, expires_at=clock.now().replace(year=2100))
        session.add(session_row)
    actor = Actor(user.id, session_row.id, user.name)
    async with db.transaction(user_id=user.id) as session:
        organization = await orgs.found(session, actor, name="Analytical Engines")
    signer = Signer.from_settings(settings)
    return World(
        settings, db, signer, Actor(user.id, session_row.id, user.name, frozenset({organization.id})), organization.id
    )


class Collab:
    """A collab process on a port of its own."""

    def __init__(
        self, settings: Settings, *, host: str = "127.0.0.1", inside: Sequence[str] = (), **environment: str
    ) -> None:
        self._host = host
        self._inside = inside
        """What the command that starts it is an argument of: another network, for example."""
        self._settings = settings
        self._environment = environment
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"ws://{self._host}:{self.port}/collab"

    @property
    def http(self) -> str:
        """Where probes look."""
        return f"http://{self._host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def children(self) -> list["Child"]:
        """The processes it has started."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return [Child(int(pid)) for thread in threads for pid in (thread / "children").read_text().split()]

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        environment = os.environ | {
            "DOXIE_HOME": str(self._settings.home),
            "DOXIE_COLLAB_HOST": self._host,
            "DOXIE_COLLAB_PORT": str(self.port),
            "DOXIE_LOG_FORMAT": "console",
            "DOXIE_LOG_LEVEL": "WARNING",
            **self._environment,
        }
        command = [*self._inside, sys.executable, "-m", "collab"]
        self._process = await asyncio.create_subprocess_exec(*command, env=environment)
        async with asyncio.timeout(90), httpx.AsyncClient() as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.http}/readyz")).status_code == 200:
                        return
                if self._process.returncode is not None:
                    raise RuntimeError(f"collab ended with {self._process.returncode}")
                await asyncio.sleep(0.05)

    async def stop(self) -> int:
        """End it in order; the exit status."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        async with asyncio.timeout(15):
            return await self._process.wait()

    async def metrics(self) -> dict[str, float]:
        """What it says about itself, without the prefix."""
        async with httpx.AsyncClient() as client:
            answer = (await client.get(f"{self.http}/metrics")).text
        pairs: Sequence[list[str]] = [line.split() for line in answer.splitlines() if not line.startswith("#")]
        return {name.removeprefix("doxie_collab_"): float(value) for name, value in pairs}


@dataclass(frozen=True, slots=True)
class Child:
    """A process that a collab process has started."""

    pid: int

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    def hang(self) -> None:
        """Stop it, as if it were in an endless loop."""
        os.kill(self.pid, signal.SIGSTOP)


@contextlib.asynccontextmanager
async def running(
    settings: Settings, *, host: str = "127.0.0.1", inside: Sequence[str] = (), **environment: str
) -> AsyncIterator[Collab]:
    """A collab process for a while."""
    collab = Collab(settings, host=host, inside=inside, **environment)
    await collab.start()
    try:
        yield collab
    finally:
        await collab.kill()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
