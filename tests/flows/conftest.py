"""Fixtures of the pipeline's tests: the real stores and Prefect, and a database of their own.

The stack has a worker that serves its outbox; the workers of these tests serve another one.
"""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text

from flows import runtime
from flows.runtime import Runtime
from infra.settings import Settings, get_settings
from infra.storage import ObjectStore
from models.migrations.__main__ import upgrade as migrate
from tests.conftest import Stack
from tests.flows.desk import Desk, new_desk, scratch_database, url_of


@pytest.fixture(scope="session")
async def pipeline(stack: Stack) -> AsyncIterator[Settings]:
    """The settings of a deployment that shares all services with the stack, but no data."""
    owner = make_url(stack.settings.database_url.get_secret_value())
    app = make_url(stack.settings.app_database_url.get_secret_value())
    async with scratch_database(owner) as name:
        urls = {
            "database_url": SecretStr(url_of(owner.set(database=name))),
            "app_database_url": SecretStr(url_of(app.set(database=name))),
        }
        migrate(urls["database_url"].get_secret_value(), urls["app_database_url"].get_secret_value())
        for bucket in (stack.settings.s3_bucket, stack.settings.s3_backup_bucket):
            await ObjectStore(stack.settings, bucket).ensure_bucket()
        yield stack.settings.model_copy(update=urls)


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
