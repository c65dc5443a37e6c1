"""The schema: forward, back, with data, and never apart from the models."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, create_engine, text

from infra.db import driver_url
from models.migrations import __main__ as migrations
from tests.conftest import Stack
from tests.models.schema import scratch_database


@pytest.fixture
def scratch(stack: Stack) -> Iterator[str]:
    """The URL of an empty database on the same server."""
    with scratch_database(stack.settings.database_url.get_secret_value()) as url:
        yield url


@pytest.fixture
def engine(scratch: str) -> Iterator[Engine]:
    made = create_engine(driver_url(scratch))
    yield made
    made.dispose()


def test_models_and_migrations_do_not_drift(scratch: str, stack: Stack) -> None:
    migrations.upgrade(scratch, stack.settings.app_database_url.get_secret_value())
    command.check(migrations.config(scratch))


def test_every_step_goes_forward_and_back_with_data(scratch: str, engine: Engine, stack: Stack) -> None:
    app_url = stack.settings.app_database_url.get_secret_value()
    migrations.upgrade(scratch, app_url)
    with engine.begin() as connection:
        _fill(connection)
    command.downgrade(migrations.config(scratch), "0001")
    migrations.upgrade(scratch, app_url)
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM document_updates")) == 1
        assert connection.scalar(text("SELECT title FROM documents")) == "Kept"
    command.downgrade(migrations.config(scratch), "base")
    with engine.begin() as connection:
        left = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        assert set(left) == {"alembic_version"}
    migrations.upgrade(scratch, app_url)


def _fill(connection: Connection) -> None:
    user, org, document = uuid4(), uuid4(), uuid4()
    ids = {"user": user, "org": org, "document": document}
    for statement in (
        "INSERT INTO users (id, email, name, is_operator, created_at)"
        " VALUES (:user, 'a@example.com', 'A', false, now())",
        "INSERT INTO organizations (id, name, created_by, created_at) VALUES (:org, 'Acme', :user, now())",
        "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES (:org, :user, 'owner', now())",
        "INSERT INTO documents (org_id, id, title, version, created_by, created_at, updated_at)"
        " VALUES (:org, :document, 'Kept', 1, :user, now(), now())",
        "INSERT INTO document_streams"
        " (org_id, document_id, seq, chain, bytes_total, closed, snapshot_seq)"
        " VALUES (:org, :document, 1, '\\x00', 1, false, 0)",
        "INSERT INTO document_updates (org_id, document_id, seq, payload, chain, origin, created_at)"
        " VALUES (:org, :document, 1, '\\x00', '\\x00', 'test', now())",
    ):
        connection.execute(text(statement), ids)
