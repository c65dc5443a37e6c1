"""A release migrates while the code of the last one goes on working, and it can go back; with data in every table."""

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from infra.db import driver_url
from models.migrations import RELEASED
from models.migrations import __main__ as migrations
from tests.conftest import Stack
from tests.models import schema
from tests.models.contracting import contractions


@pytest.fixture
def released(stack: Stack) -> Iterator[str]:
    """A database as the last release has left it, with its rows."""
    settings = stack.settings
    with schema.scratch_database(settings.database_url.get_secret_value()) as url:
        migrations.upgrade(url, settings.app_database_url.get_secret_value(), RELEASED)
        engine = create_engine(driver_url(url))
        with engine.begin() as connection:
            schema.write(connection)
        engine.dispose()
        yield url


@pytest.fixture
def engine(released: str) -> Iterator[Engine]:
    made = create_engine(driver_url(released))
    yield made
    made.dispose()


def test_the_last_release_goes_on_working_and_can_come_back(released: str, engine: Engine, stack: Stack) -> None:
    app_url = stack.settings.app_database_url.get_secret_value()
    with engine.begin() as connection:
        known = schema.columns(connection)
        before = schema.rows(connection, known)
        assert [name for name, found in before.items() if not found] == [], "released.sql has no row for these"
        unknown = {name: _unwritten(connection, name, some) for name, some in known.items()}
        assert {name: some for name, some in unknown.items() if some} == _EMPTY, "released.sql does not write these"
    with schema.overheard() as statements:
        migrations.upgrade(released, app_url)
    assert any("UPDATE alembic_version" in statement for statement in statements) == (_head() != RELEASED)
    with engine.begin() as connection:
        assert schema.rows(connection, known) == before, "whatever the last release wrote is what it was"
        schema.rewrite(connection, known)
        assert schema.rows(connection, known) == before
        schema.empty(connection, {name: some for name, some in known.items() if name != "installation"})
        schema.write(connection)  # as the old code does on the new schema
        assert schema.rows(connection, known) == before
    as_app = create_engine(driver_url(app_url).set(database=make_url(released).database))
    with as_app.begin() as connection:
        connection.execute(text("SELECT set_config('app.org_ids', :ids, true)"), {"ids": f"{{{_org(before)}}}"})
        connection.execute(text("SELECT set_config('app.user_id', :id, true)"), {"id": _user(before)})
        assert schema.rows(connection, known) == before, "the application sees what it saw"
    as_app.dispose()
    command.downgrade(migrations.config(released), RELEASED)
    with engine.begin() as connection:
        assert schema.columns(connection) == known
        assert schema.rows(connection, known) == before
    migrations.upgrade(released, app_url)


_EMPTY = {
    "auth_sessions": ["revoked_at"],
    "document_grants": ["group_id", "invitation_id"],  # one of three
    "documents": ["parent_id", "trashed_at"],
    "memberships": ["suspended_at"],
    "organizations": ["deleted_at", "suspended_at"],
    "outbox": ["set_aside_at"],
    "share_links": ["revoked_at"],
    "users": ["deletion_due_at", "erased_at"],
    "webhooks": ["disabled_at"],
}
"""What the rows leave out on purpose: what would end them, or must not be there together."""


def _unwritten(connection: Connection, name: str, some: list[str]) -> list[str]:
    return sorted(column for column in some if not connection.scalar(text(f'SELECT count("{column}") FROM {name}')))


def _org(before: dict[str, list[tuple[object, ...]]]) -> object:
    return before["memberships"][0][0]


def _user(before: dict[str, list[tuple[object, ...]]]) -> str:
    return str(before["memberships"][0][1])


def _head() -> str:
    return str(ScriptDirectory.from_config(migrations.config("")).get_current_head())


def test_a_release_only_adds(stack: Stack) -> None:
    """Unless what goes has not been used since an earlier release, and the migration says since which."""
    scripts = ScriptDirectory.from_config(migrations.config(""))
    settings = stack.settings
    released = {script.revision for script in scripts.iterate_revisions(RELEASED, "base")}
    with schema.scratch_database(settings.database_url.get_secret_value()) as url:
        app_url = settings.app_database_url.get_secret_value()
        migrations.upgrade(url, app_url, RELEASED)
        for script in reversed(list(scripts.iterate_revisions("head", RELEASED))):
            with schema.overheard() as statements:
                command.upgrade(migrations.config(url), script.revision)
            since = getattr(script.module, "contracts", None)
            assert since is None or since in released, f"{script.revision}: {since} is not released"
            wrong = list(contractions(statements))
            assert since or not wrong, f"{script.revision} contracts: {wrong}"


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE documents",
        "ALTER TABLE documents DROP COLUMN title",
        "ALTER TABLE documents RENAME title TO name",
        "ALTER TABLE documents RENAME TO papers",
        "ALTER TABLE documents ALTER COLUMN title TYPE TEXT",
        "ALTER TABLE documents ALTER COLUMN title SET NOT NULL",
        "ALTER TABLE documents ALTER COLUMN org_access DROP DEFAULT",
        "ALTER TABLE documents ADD COLUMN words INTEGER NOT NULL",
        "ALTER TABLE documents ADD CONSTRAINT short CHECK (length(title) < 9)",
        "CREATE UNIQUE INDEX one ON documents (title)",
        "CREATE INDEX ix ON documents (title)",
        "ALTER TABLE documents ENABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON documents",
        "UPDATE documents SET title = ''; \n DELETE FROM documents",
        "REVOKE UPDATE ON documents FROM somebody",
        "REVOKE ALL ON FUNCTION count_words(uuid) FROM PUBLIC",
    ],
)
def test_what_contracts_is_found(statement: str) -> None:
    assert len(list(contractions(["CREATE TABLE words (id UUID)", statement]))) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE documents ADD COLUMN words INTEGER",
        "ALTER TABLE documents ADD COLUMN words INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE documents ALTER COLUMN title DROP NOT NULL",
        "ALTER TABLE documents DROP CONSTRAINT ck_documents_org_access",
        "CREATE INDEX CONCURRENTLY ix ON documents (title)",
        "DROP INDEX ix_documents_id",
        "CREATE TABLE more (id UUID); ALTER TABLE more ENABLE ROW LEVEL SECURITY; CREATE INDEX ix ON more (id)",
        "CREATE FUNCTION count_words(uuid) RETURNS int; REVOKE ALL ON FUNCTION count_words(uuid) FROM PUBLIC",
        "UPDATE documents SET org_access = 3",
    ],
)
def test_what_expands_is_fine(statement: str) -> None:
    assert list(contractions([statement])) == []
