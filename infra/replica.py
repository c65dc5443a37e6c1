"""Reads from a copy of the database that follows it, and never answers with less than was committed before they came.

Before such a read the primary is asked how far its log reaches on its disk: all that anybody was told is committed lies
before that point. The replica answers once it has replayed as far (docs/adr/0013). So a read finds what was written
a moment ago by whomever, and a right that was taken away is gone here too. A replica that is away, hangs or lags costs
no answer: the primary gives it, and one line in the log says so until the replica has come back.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from infra.db import Database, plain_url
from infra.logging import get_logger
from infra.waiting import within

log = get_logger(__name__)

PATIENCE_SECONDS: Final = 0.1
"""So long a read waits for the replica to catch up …"""
ANSWER_SECONDS: Final = 1.0
"""… and for it to answer at all."""
RETURN_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)
"""Pauses before looking whether the replica is back."""

_POSITION: Final = "SELECT pg_current_wal_flush_lsn()::text"
_CAUGHT_UP: Final = text(
    "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn) AS caught_up"
)
_FAILURES: Final = (SQLAlchemyError, psycopg.Error, OSError, TimeoutError)


class Behind(TimeoutError):
    """The replica has not replayed what was committed."""


class Reads:
    """Transactions that only read: on the replica where there is one and it has caught up, else on the primary."""

    def __init__(self, primary: Database, *, primary_url: str, replica_url: str) -> None:
        self._primary = primary
        self._replica = Database(replica_url, pool_size=20) if replica_url else None
        self._fence = _Fence(primary_url)
        self._returning: asyncio.Task[None] | None = None
        self.from_replica = 0
        self.from_primary = 0

    @property
    def away(self) -> bool:
        """Whether the replica is not asked at the moment."""
        return self._returning is not None

    @asynccontextmanager
    async def transaction(
        self, *, user_id: UUID | None = None, org_ids: Iterable[UUID] = ()
    ) -> AsyncIterator[AsyncSession]:
        """As `Database.transaction`, and what it sees is no older than the call."""
        org_ids = tuple(org_ids)
        async with AsyncExitStack() as stack:
            session = await self._on_replica(stack, user_id, org_ids)
            if session is None:
                self.from_primary += 1
                session = await stack.enter_async_context(self._primary.transaction(user_id=user_id, org_ids=org_ids))
            else:
                self.from_replica += 1
            yield session

    async def close(self) -> None:
        """Close every connection."""
        if self._returning is not None:
            self._returning.cancel()
        await self._fence.close()
        if self._replica is not None:
            await self._replica.close()

    async def _on_replica(
        self, stack: AsyncExitStack, user_id: UUID | None, org_ids: tuple[UUID, ...]
    ) -> AsyncSession | None:
        if self._replica is None or self.away:
            return None
        try:
            position = await within(ANSWER_SECONDS, self._fence.position())
        except _FAILURES:
            return None  # it is the primary that does not answer: what is asked of it next will say so
        inner = AsyncExitStack()
        try:
            session = await within(ANSWER_SECONDS, self._enter(self._replica, inner, position, user_id, org_ids))
        except _FAILURES as error:
            self._leave(error)
            return None
        stack.push_async_exit(inner)
        return session

    async def _enter(
        self, replica: Database, inner: AsyncExitStack, position: str, user_id: UUID | None, org_ids: tuple[UUID, ...]
    ) -> AsyncSession:
        """A transaction on the replica that sees everything before a position of the log.

        Raises:
            Behind: it does not get there in time.
        """
        try:
            session = await inner.enter_async_context(replica.transaction(user_id=user_id, org_ids=org_ids))
            deadline = time.monotonic() + PATIENCE_SECONDS
            # Each statement sees what is there when it begins, so those after this one see it all.
            while not await session.scalar(_CAUGHT_UP, {"position": position}):
                if time.monotonic() > deadline:
                    raise Behind("it lags, or follows no more")
                await asyncio.sleep(0.002)
        except BaseException as error:
            with suppress(*_FAILURES):
                await inner.__aexit__(type(error), error, error.__traceback__)
            raise
        return session

    def _leave(self, error: Exception) -> None:
        if self._returning is None:
            log.warning("the replica is away: the primary answers its reads", reason=str(error) or repr(error))
            self._returning = asyncio.create_task(self._return())

    async def _return(self) -> None:
        """Look from time to time, beside the requests, whether the replica has come back."""
        assert self._replica is not None
        for attempt in count():
            await asyncio.sleep(RETURN_SECONDS[min(attempt, len(RETURN_SECONDS) - 1)])
            inner = AsyncExitStack()
            try:
                position = await within(ANSWER_SECONDS, self._fence.position())
                await within(ANSWER_SECONDS, self._enter(self._replica, inner, position, None, ()))
                await inner.aclose()
            except _FAILURES:
                continue
            break
        self._returning = None
        log.info("the replica is back and answers reads")


class _Fence:
    """How far the primary's log reaches. Whoever asks during one question shares the next."""

    def __init__(self, url: str) -> None:
        self._url = plain_url(url)
        self._connection: psycopg.AsyncConnection[tuple[str]] | None = None
        self._waiting: list[asyncio.Future[str]] = []
        self._asking: asyncio.Task[None] | None = None

    async def position(self) -> str:
        """A position that all commits lie before of which anybody was told until now."""
        asked = asyncio.get_running_loop().create_future()
        self._waiting.append(asked)
        if self._asking is None:
            self._asking = asyncio.create_task(self._run())
        return str(await asked)

    async def close(self) -> None:
        """Close the connection."""
        if self._asking is not None:
            self._asking.cancel()
        await self._disconnect()

    async def _run(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                try:
                    position = await self._ask()
                except _FAILURES as error:
                    await self._disconnect()
                    _settle(waiting, error)
                else:
                    _settle(waiting, position)
        finally:
            self._asking = None

    async def _ask(self) -> str:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        row = await (await self._connection.execute(_POSITION)).fetchone()
        assert row is not None
        return row[0]

    async def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                await self._connection.close()
            self._connection = None


def _settle(waiting: list[asyncio.Future[str]], outcome: str | Exception) -> None:
    for asked in waiting:
        if asked.done():
            continue  # whoever asked has gone
        if isinstance(outcome, Exception):
            asked.set_exception(outcome)
        else:
            asked.set_result(outcome)
