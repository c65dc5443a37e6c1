"""Transactions on the driver itself use the pool as sessions do, whatever becomes of them."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import Text, any_, bindparam, column, func, select, table, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from infra.db import Database
from tests.conftest import Stack

PID = text("SELECT pg_backend_pid() AS pid")
KILL = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY(:pids)")
EMIT = text("""
    INSERT INTO outbox (kind, subject_id, org_id, payload, generation, attempts, created_at, due_at)
    VALUES (:kind, :id, :id, '{}', 1, 0, now(), now() + interval '1 day')
""")
COUNT = text("SELECT count(*) AS n FROM outbox WHERE kind = :kind")


@pytest.fixture
async def db(stack: Stack) -> AsyncIterator[Database]:
    db = Database(stack.settings.app_database_url.get_secret_value(), pool_size=4)
    yield db
    await db.close()


async def pid(db: Database) -> int:
    async with db.direct() as direct:
        [row] = await direct.execute(PID)
        return int(row.pid)


async def test_one_after_another_they_share_a_connection(db: Database) -> None:
    assert len({await pid(db) for _ in range(20)}) == 1
    assert db.pool() == {"connections": 1, "used": 0}


async def test_they_see_whose_rows_they_are_told_to(db: Database) -> None:
    org = uuid4()
    scope = text("SELECT current_setting('app.org_ids', true) AS orgs")
    async with db.direct(org_ids=[org]) as direct:
        assert [row.orgs for row in await direct.execute(scope)] == [f"{{{org}}}"]
    async with db.direct() as direct:
        assert [row.orgs for row in await direct.execute(scope)] == ["{}"]


async def test_they_run_what_sessions_run(db: Database) -> None:
    kinds = column("kind", Text)
    number = func.count().label("number") + 1
    query = select(number.label("number")).select_from(table("outbox", kinds)).where(kinds == any_(bindparam("kinds")))
    asked = {"kinds": [f"test.{uuid4()}"]}
    async with db.direct() as direct, db.transaction() as session:
        assert [row.number for row in await direct.execute(query, asked)] == [1]
        assert [row.number for row in await session.execute(query, asked)] == [1]


async def test_what_fails_leaves_nothing_and_spoils_no_connection(db: Database) -> None:
    kind = f"test.{uuid4()}"
    before = await pid(db)
    about = {"kind": kind, "id": uuid4()}
    with pytest.raises(IntegrityError):
        async with db.direct() as direct:
            await direct.execute(EMIT, about)
            await direct.execute(EMIT, about)
    with pytest.raises(ProgrammingError):
        async with db.direct() as direct:
            await direct.execute(text("SELECT nothing_of_the_kind"))
    with pytest.raises(ValueError, match="mine"):
        async with db.direct() as direct:
            await direct.execute(EMIT, about)
            raise ValueError("mine")
    async with db.direct() as direct:
        assert [row.n for row in await direct.execute(COUNT, {"kind": kind})] == [0]
    assert await pid(db) == before


async def test_one_that_is_cancelled_leaves_nothing_and_is_not_in_the_way(db: Database) -> None:
    kind = f"test.{uuid4()}"
    begun = asyncio.Event()

    async def sleep() -> None:
        async with db.direct() as direct:
            await direct.execute(EMIT, {"kind": kind, "id": uuid4()})
            begun.set()
            await direct.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(sleep())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db.direct() as direct:
        assert [row.n for row in await direct.execute(COUNT, {"kind": kind})] == [0]
    assert db.pool()["used"] == 0


async def test_after_an_outage_one_fails_and_no_other(db: Database, stack: Stack) -> None:
    """Every connection of the pool is dead then; who tries again once must not meet the next of them."""
    met = asyncio.Barrier(4)

    async def meet() -> int:
        async with db.direct() as direct:
            await met.wait()
            [row] = await direct.execute(PID)
            return int(row.pid)

    pids = await asyncio.gather(*(meet() for _ in range(4)))
    owner = Database(stack.settings.database_url.get_secret_value(), pool_size=1)
    async with owner.transaction() as session:
        await session.execute(KILL, {"pids": pids})
    await owner.close()
    with pytest.raises(OperationalError):
        await pid(db)
    assert await pid(db) not in pids
