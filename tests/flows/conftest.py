"""Fixtures of the pipeline's tests: the real stores and Prefect, and a database of their own.

The stack has a worker that serves its outbox; the workers of these tests serve another one.
"""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from flows import runtime
from flows.runtime import Runtime
from infra.db import Database
from infra.settings import Settings, get_settings
from infra.storage import ObjectStore
from tests.conftest import Stack
from tests.flows.desk import Desk, deployment, new_desk


@pytest.fixture(scope="session")
async def pipeline(stack: Stack) -> AsyncIterator[Settings]:
    """The settings of a deployment that shares all services with the stack, but no data."""
    async with deployment(stack.settings) as settings:
        yield settings


@pytest.fixture(scope="session")
async def worker(pipeline: Settings) -> AsyncIterator[Runtime]:
    """What a worker works with."""
    async with runtime.opened(pipeline) as opened:
        yield opened


@pytest.fixture
async def desk(worker: Runtime, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Somebody with an organization, and nothing else to do for the worker."""
    monkeypatch.setattr(get_settings(), "persist_quiet_seconds", 0.2)
    async with worker.db.transaction() as session:
        await session.execute(text("DELETE FROM outbox"))
    return await new_desk(worker)


@pytest.fixture(scope="module")
async def house(stack: Stack) -> AsyncIterator[Runtime]:
    """A deployment whose data nobody damages but the tests of one module."""
    async with deployment(stack.settings) as settings, runtime.opened_with(settings) as worker:
        yield worker


@pytest.fixture(scope="module")
async def owner(house: Runtime) -> AsyncIterator[Database]:
    """The role that sees everything, of the deployment that a module has to itself."""
    async with runtime.owner(house) as db:
        yield db


@pytest.fixture(scope="module")
async def stored(house: Runtime) -> AsyncIterator[ObjectStore]:
    """The bucket of its backups."""
    async with runtime.backup_store(house) as store:
        yield store
