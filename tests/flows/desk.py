"""What the tests of the pipeline do: write documents, run a worker, look at what came of it."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.settings import temporary_settings
from pycrdt import Doc, Text
from pydantic import SecretStr
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select

from flows import environment, recording
from flows.dispatch import Dispatcher
from flows.runtime import Runtime
from infra.db import driver_url
from infra.settings import Settings
from infra.storage import ObjectStore
from models import auth, orgs
from models import documents as documents_
from models.auth import Actor
from models.documents import Edit, journal, state
from models.migrations.__main__ import upgrade as migrate
from models.pipeline import PipelineRun
from models.revisions import Revision


@dataclass(frozen=True)
class Desk:
    """Somebody's organization, and what they do in it."""

    worker: Runtime
    actor: Actor
    org_id: UUID

    async def document(self, title: str = "Notes") -> UUID:
        """A new, empty document."""
        async with self.worker.db.transaction(user_id=self.actor.user_id, org_ids=[self.org_id]) as session:
            scope = await orgs.enter(session, self.actor, self.org_id)
            return (await documents_.create(session, scope, title=title)).id

    async def write(self, document_id: UUID, *payloads: bytes) -> list[int]:
        """Append updates to the journal."""
        edits = [Edit(self.org_id, document_id, data, self.actor.user_id, None, "test") for data in payloads]
        async with self.worker.db.transaction(org_ids=[self.org_id]) as session:
            return await journal.append(session, edits)

    async def revisions(self, document_id: UUID) -> list[Revision]:
        """In order of their numbers."""
        async with self.worker.db.transaction(org_ids=[self.org_id]) as session:
            query = select(Revision).where(col(Revision.document_id) == document_id)
            return list(await session.scalars(query.order_by(col(Revision.number))))

    async def ledger(self, document_id: UUID) -> list[PipelineRun]:
        """In order of time."""
        async with self.worker.db.transaction(org_ids=[self.org_id]) as session:
            query = select(PipelineRun).where(col(PipelineRun.document_id) == document_id)
            return list(await session.scalars(query.order_by(col(PipelineRun.id))))


def typing(word: str, *, doc: Doc[Any] | None = None) -> list[bytes]:
    """One update for each character typed into the text `default`."""
    doc = doc or Doc()
    updates: list[bytes] = []
    content = doc.get("text", type=Text)
    for character in word:
        before = doc.get_state()
        content += character
        updates.append(doc.get_update(before))
    return updates


async def new_desk(worker: Runtime) -> Desk:
    """Somebody new, with an organization of their own."""
    email = f"{os.urandom(6).hex()}@example.org"
    async with worker.db.transaction() as session:
        user = await auth.register(session, email=email, name="Ada", password_hash="x")
    actor = Actor(user.id, None, user.name)
    async with worker.db.transaction(user_id=user.id) as session:
        organization = await orgs.found(session, actor, name="Analytical Engines")
    return Desk(worker, replace(actor, org_ids=frozenset({organization.id})), organization.id)


def storing_at(worker: Runtime, port: int) -> Runtime:
    """The same, but for the object store, which it reaches at a port of this machine."""
    settings = worker.settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{port}"})
    return replace(worker, settings=settings, store=ObjectStore(settings))


@asynccontextmanager
async def dispatching(worker: Runtime, **changes: object) -> AsyncIterator[Dispatcher]:
    """A worker that serves the outbox during the block."""
    settings: Settings = worker.settings.model_copy(update=changes)
    dispatcher = Dispatcher(replace(worker, settings=settings))
    # A Prefect that is slow for a moment is not down here, but where that is what is tested.
    patient = patch.multiple(recording, ANSWER_SECONDS=60.0, REQUEST_SECONDS=60.0)
    with nullcontext() if "prefect_ui_url" in changes else patient:
        running = asyncio.create_task(dispatcher.run())
        try:
            yield dispatcher
        finally:
            dispatcher.stop.set()
            await running


@asynccontextmanager
async def deployment(shared: Settings) -> AsyncIterator[Settings]:
    """The settings of another deployment on the same services, with a database of its own."""
    owner = make_url(shared.database_url.get_secret_value())
    app = make_url(shared.app_database_url.get_secret_value())
    async with scratch_database(owner) as name:
        urls = {
            "database_url": SecretStr(url_of(owner.set(database=name))),
            "app_database_url": SecretStr(url_of(app.set(database=name))),
        }
        migrate(urls["database_url"].get_secret_value(), urls["app_database_url"].get_secret_value())
        for bucket in (shared.s3_bucket, shared.s3_backup_bucket):
            await ObjectStore(shared, bucket).ensure_bucket()
        yield shared.model_copy(update=urls)


@asynccontextmanager
async def scratch_database(owner: URL) -> AsyncIterator[str]:
    """The name of an empty database beside another one."""
    name = f"scratch_{secrets.token_hex(4)}"
    engine = create_async_engine(driver_url(url_of(owner)), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
            yield name
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        await engine.dispose()


def url_of(url: URL) -> str:
    """A URL with its password."""
    return url.render_as_string(hide_password=False)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def settled(worker: Runtime, subjects: Sequence[UUID], seconds: float = 20) -> None:
    """Wait until nothing is left to do about subjects."""
    query = text("SELECT count(*) FROM outbox WHERE subject_id = ANY(:subjects)")

    async def nothing_left() -> bool:
        async with worker.db.transaction() as session:
            return not await session.scalar(query, {"subjects": list(subjects)})

    await until(nothing_left, seconds)


async def flow_run(worker: Runtime, flow_run_id: UUID | None) -> FlowRun:
    """What Prefect has recorded."""
    assert flow_run_id is not None
    with temporary_settings(environment.api(worker.settings.prefect_ui_url)):
        async with get_client() as client:
            return await client.read_flow_run(flow_run_id)


async def ended(worker: Runtime, flow_run_id: UUID | None) -> FlowRun:
    """The same, once the run has ended."""

    async def is_final() -> bool:
        state = (await flow_run(worker, flow_run_id)).state
        return state is not None and state.is_final()

    await until(is_final)
    return await flow_run(worker, flow_run_id)


def port_of(url: str) -> int:
    """The port of a URL."""
    port = urlsplit(url).port
    assert port is not None
    return port


async def snapshotted(desk: Desk) -> tuple[UUID, str]:
    """A document that the pipeline has folded, and the key of its snapshot."""
    document_id = await desk.document()
    async with dispatching(desk.worker):
        await desk.write(document_id, *typing("kept"))
        await settled(desk.worker, [document_id])
    [revision] = await desk.revisions(document_id)
    return document_id, state.snapshot_key(desk.org_id, str(revision.sha256))
