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


@pytest.mark.parametrize("scope", ["nothing", "own", "own and none", "forged"])
async def test_a_search_finds_words_of_the_scope_only(ann: Person, bob: Person, db: Database, scope: str) -> None:
    """It works as the owner of the tables, past the policies."""
    query = text("SELECT document_id FROM matching_documents(:org, 'notes')")
    async with db.transaction(org_ids=[ann.org_id, bob.org_id] if scope == "forged" else [ann.org_id]) as session:
        if scope == "nothing":
            await session.execute(text("SELECT set_config('app.org_ids', '', true)"))
        elif scope == "own and none":
            await session.execute(
                text("SELECT set_config('app.org_ids', :ids, true)"), {"ids": f"{{{ann.org_id},NULL}}"}
            )
        own = list(await session.scalars(query, {"org": ann.org_id}))
        others = list(await session.scalars(query, {"org": bob.org_id}))
        nobodys = list(await session.scalars(query, {"org": None}))
    assert own == ([] if scope == "nothing" else [ann.document_id])
    # Whoever can make any scope can read any row: here it is no other than for the tables themselves.
    assert others == ([bob.document_id] if scope == "forged" else [])
    assert nobodys == []


async def test_a_search_finds_the_same_for_an_owner_who_sees_no_more_than_others(
    ann: Person, bob: Person, owner_db: Database
) -> None:
    """Not every Postgres has a role that bypasses row-level security."""
    role, query = f"plain_{uuid4().hex}", text("SELECT document_id FROM matching_documents(:org, 'notes')")
    async with owner_db.transaction(org_ids=[ann.org_id]) as session:
        for statement in (
            f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {role}",
            f"GRANT SELECT ON documents, document_texts TO {role}",
            f"ALTER FUNCTION matching_documents OWNER TO {role}",
            "SET LOCAL ROLE doxie_app",
        ):
            await session.execute(text(statement))
        assert list(await session.scalars(query, {"org": ann.org_id})) == [ann.document_id]
        assert list(await session.scalars(query, {"org": bob.org_id})) == []
        await session.rollback()


async def test_a_search_cannot_be_given_other_tables(ann: Person, bob: Person, db: Database) -> None:
    async with db.transaction(org_ids=[ann.org_id]) as session:
        await session.execute(text("CREATE TEMP TABLE documents ON COMMIT DROP AS SELECT * FROM public.documents"))
        await session.execute(text("UPDATE pg_temp.documents SET id = :id"), {"id": bob.document_id})
        await session.execute(text("SET LOCAL search_path = pg_temp, public"))
        found = await session.scalars(
            text("SELECT document_id FROM public.matching_documents(:org, 'notes')"), {"org": ann.org_id}
        )
        assert list(found) == [ann.document_id]


async def test_what_works_as_the_owner_is_for_the_application_alone(owner_db: Database) -> None:
    query = """
        SELECT proname, proconfig, array_agg(pg_get_userbyid(grantee)) FILTER (WHERE grantee <> proowner) AS callers
        FROM pg_proc CROSS JOIN LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner)))
        WHERE prosecdef AND pronamespace = 'public'::regnamespace GROUP BY pg_proc.oid, proname, proconfig
    """
    async with owner_db.transaction() as session:
        [function] = list(await session.execute(text(query)))
    assert (function.proname, function.callers) == ("matching_documents", ["doxie_app"])
    assert "search_path=pg_catalog, pg_temp" in function.proconfig


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
