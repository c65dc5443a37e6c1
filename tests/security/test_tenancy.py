"""Row-level security, with every WHERE removed."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import models.migrations.tables  # noqa: F401 (every table)
from infra.db import Database
from models.base import OrgOwned
from tests.conftest import Stack
from tests.people import Pen, Person

TABLES = sorted(str(table.__tablename__) for table in OrgOwned.__subclasses__())


async def test_every_table_of_a_tenant_is_protected(owner_db: Database) -> None:
    query = """
        SELECT relname, relrowsecurity AND relforcerowsecurity AS forced, pg_get_userbyid(relowner) AS owner
        FROM pg_class JOIN pg_attribute ON attrelid = oid AND attname = 'org_id'
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'outbox'
    """
    async with owner_db.transaction() as session:
        rows = {row.relname: row for row in await session.execute(text(query))}
    assert sorted(rows) == TABLES
    assert all(row.forced and row.owner != "doxie_app" for row in rows.values())


@pytest.mark.parametrize("table", [*TABLES, "organizations"])
async def test_a_transaction_without_a_scope_sees_nothing(ann: Person, db: Database, table: str) -> None:
    async with db.transaction() as session:
        assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.parametrize("table", TABLES)
async def test_a_scope_sees_its_organization_only(
    ann: Person, bob: Person, db: Database, owner_db: Database, table: str
) -> None:
    await bob.save(Pen().write("secret"))
    async with db.transaction(org_ids=[ann.org_id]) as session:
        orgs = set(await session.scalars(text(f"SELECT DISTINCT org_id FROM {table}")))
    assert orgs <= {ann.org_id}


async def test_nothing_can_be_written_for_another_organization(ann: Person, bob: Person, db: Database) -> None:
    statement = text("""
        INSERT INTO documents (org_id, id, title, version, created_by, created_at, updated_at)
        VALUES (:org, :id, 'planted', 1, :user, now(), now())
    """)
    with pytest.raises(DBAPIError, match="row-level security"):
        async with db.transaction(org_ids=[ann.org_id]) as session:
            await session.execute(statement, {"org": bob.org_id, "id": uuid4(), "user": ann.user["id"]})


async def test_the_journal_cannot_be_changed_by_the_application(ann: Person, db: Database) -> None:
    await ann.save(Pen().write("written"))
    for statement in ("UPDATE document_updates SET payload = ''", "DELETE FROM document_updates"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with db.transaction(org_ids=[ann.org_id]) as session:
                await session.execute(text(statement))


async def test_the_application_cannot_switch_protection_off(db: Database) -> None:
    for statement in ("ALTER TABLE documents DISABLE ROW LEVEL SECURITY", "SET ROLE doxie"):
        with pytest.raises(DBAPIError):
            async with db.transaction() as session:
                await session.execute(text(statement))


async def test_a_pooled_connection_carries_no_scope_over(ann: Person, stack: Stack) -> None:
    single = Database(stack.settings.app_database_url.get_secret_value(), pool_size=1)
    async with single.transaction(org_ids=[ann.org_id]) as session:
        assert await session.scalar(text("SELECT count(*) FROM documents")) == 1
    async with single.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM documents")) == 0
    await single.close()


async def test_a_cancelled_request_leaves_no_scope_behind(ann: Person, bob: Person, stack: Stack) -> None:
    """Two connections, a thousand transactions, a third of them cancelled somewhere in the middle."""
    pool = Database(stack.settings.app_database_url.get_secret_value(), pool_size=1)
    tenants = [ann.org_id, bob.org_id]
    seen: list[tuple[object, set[object]]] = []

    async def look(number: int) -> None:
        org_id = tenants[number % 2] if number % 5 else None
        async with pool.transaction(org_ids=[org_id] if org_id else []) as session:
            for _ in range(2):
                found = await session.scalars(text("SELECT org_id FROM documents"))
                seen.append((org_id, set(found)))
                await session.execute(text("SELECT pg_sleep(0.001)"))

    async def cut_off(number: int) -> None:
        task = asyncio.create_task(look(number))
        if number % 3 == 0:
            for _ in range(number % 17):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for start in range(0, 600, 20):
        await asyncio.gather(*(cut_off(number) for number in range(start, start + 20)))
    assert len(seen) > 600
    assert all(found == ({org_id} if org_id else set()) for org_id, found in seen)
    await pool.close()


async def test_a_scope_can_be_nothing_but_ids(db: Database) -> None:
    """It is written into the statement that begins a transaction."""
    for scope in ({"user_id": "'; DROP TABLE users; --"}, {"org_ids": ["x'; --"]}):
        with pytest.raises(ValueError, match="badly formed"):
            async with db.transaction(**scope) as session:
                await session.execute(text("SELECT 1"))
