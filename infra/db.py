"""Postgres: transactions that carry who is acting, and notifications.

A transaction says in the same message that begins it whose rows it may see, so saying it costs no
round trip of its own.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, Self
from uuid import UUID
from weakref import WeakSet

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import QueuePool

from infra import patience
from infra.direct import Direct

OUTAGES = (OperationalError, InterfaceError)
"""What is raised while Postgres cannot be reached."""

BEGIN_SECONDS: Final = 10.0
"""So long a new connection may take, once it is made, until it can be used."""

_SCOPE = text("SELECT set_config('app.user_id', :user_id, true), set_config('app.org_ids', :org_ids, true)")
_BEGIN = "BEGIN; SET LOCAL app.user_id = '{user_id}'; SET LOCAL app.org_ids = '{org_ids}'"
_OPTION = "doxie_scope"
_AT_REST = (TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR)


class _Cursor(psycopg.AsyncCursor[Any]):
    """Leaves what begins a transaction alone: several statements at once cannot be prepared."""

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        if isinstance(query, str) and query.startswith("BEGIN"):
            options["prepare"] = False
        return await super().execute(query, params, **options)


def driver_url(url: str) -> URL:
    """The SQLAlchemy URL of the one driver (psycopg 3) for a plain `postgresql://` URL; it does not wait for ever."""
    return patience.postgres(url).set(drivername="postgresql+psycopg")


def plain_url(url: str) -> str:
    """The same for the driver itself."""
    return driver_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Database:
    """A pool of connections of one role.

    Every transaction states whose rows it may see; row-level security shows no others. The
    settings end with the transaction, so a pooled connection carries nothing over.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._url = plain_url(url)
        self.engine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            pool_pre_ping=False,
            # The driver would send a BEGIN of its own: a round trip more.
            connect_args={"autocommit": True, "cursor_factory": _Cursor},
        )
        event.listen(self.engine.sync_engine, "begin", _begin)
        event.listen(self.engine.sync_engine, "connect", self._note, insert=True)
        event.listen(self.engine.sync_engine, "connect", self._begun)
        self._beginning: dict[psycopg.AsyncConnection[Any], asyncio.TimerHandle] = {}
        self._connections: WeakSet[psycopg.AsyncConnection[Any]] = WeakSet()

    @asynccontextmanager
    async def transaction(
        self, *, user_id: UUID | None = None, org_ids: Iterable[UUID] = ()
    ) -> AsyncIterator[AsyncSession]:
        """A transaction that sees the rows of these organizations and of this user.

        Begins with its first statement: without one it costs nothing. Commits at the end of the block,
        rolls back when it raises.
        """
        scoped = self.engine.execution_options(**{_OPTION: (user_id, tuple(org_ids))})
        async with AsyncSession(scoped, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def direct(self, *, user_id: UUID | None = None, org_ids: Iterable[UUID] = ()) -> AsyncIterator[Direct]:
        """The same, on the driver itself."""
        async with self.engine.connect() as pooled:
            connection = (await pooled.get_raw_connection()).driver_connection
            assert isinstance(connection, psycopg.AsyncConnection)
            direct = Direct(connection)
            try:
                await direct.run(_begin_as(user_id, org_ids))
                yield direct
                await direct.run("COMMIT")
            except BaseException:
                # The pool rolls back what has failed. What is broken, or in the middle of something, it cannot.
                if connection.pgconn.transaction_status not in _AT_REST:
                    await pooled.invalidate()
                    await self.engine.dispose()  # the others are as old: the server may be another one
                raise

    def pool(self) -> dict[str, int]:
        """How many connections there are, and how many of them are in use."""
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        used = pool.checkedout()
        return {"connections": used + pool.checkedin(), "used": used}

    async def ping(self) -> None:
        """Raises when Postgres does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def free_orphans(self) -> int:
        """Break the connections that wait for an answer from a server process that is not there any more; how many.

        Something between may have kept them open and said nothing, and a statement may take as long as it has to: so
        the server is asked, on a connection of its own. Whoever waits gets an `OperationalError`.
        """
        waiting = [one for one in self._connections if one.pgconn.transaction_status == TransactionStatus.ACTIVE]
        if not waiting:
            return 0
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as asking:
            rows = await (await asking.execute("SELECT pid FROM pg_stat_activity")).fetchall()
            there = {pid for (pid,) in rows}
            if asking.info.backend_pid not in there:
                return 0  # a pooler in between has numbers of its own
        orphans = [one for one in waiting if not one.closed and one.info.backend_pid not in there]
        for orphan in orphans:
            _break(orphan)
        return len(orphans)

    # On the first connection of a pool SQLAlchemy asks the server what it is, and lets nobody else have one meanwhile:
    # were that never answered, nobody would ever have one.

    def _note(self, connection: Any, _record: object) -> None:
        driver = connection.driver_connection
        self._connections.add(driver)
        self._beginning[driver] = asyncio.get_running_loop().call_later(BEGIN_SECONDS, self._give_up, driver)

    def _begun(self, connection: Any, _record: object) -> None:
        timer = self._beginning.pop(connection.driver_connection, None)
        if timer is not None:  # else it was given up at this very moment, and fails with its next statement
            timer.cancel()

    def _give_up(self, driver: psycopg.AsyncConnection[Any]) -> None:
        del self._beginning[driver]
        if not driver.closed:
            _break(driver)

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        """The payloads notified on a channel from the beginning of the block; they end with the connection."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
            yield (notification.payload async for notification in connection.notifies())

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def set_scope(session: AsyncSession, *, user_id: UUID | None, org_ids: Iterable[UUID]) -> None:
    """Say whose rows the rest of this transaction may see."""
    await session.execute(_SCOPE, {"user_id": str(user_id or ""), "org_ids": _array(org_ids)})


def _break(connection: psycopg.AsyncConnection[Any]) -> None:
    """Whoever waits for an answer on it gets an `OperationalError`."""
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(_begin_as(*connection.get_execution_options().get(_OPTION, (None, ()))))


def _begin_as(user_id: UUID | None, org_ids: Iterable[UUID]) -> str:
    # Written into the statement, since only one without parameters can be several: they are UUIDs.
    return _BEGIN.format(user_id=UUID(str(user_id)) if user_id else "", org_ids=_array(org_ids))


def _array(ids: Iterable[UUID]) -> str:
    return "{" + ",".join(str(UUID(str(item))) for item in ids) + "}"
