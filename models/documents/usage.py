"""How much an organization has, and keeping it to what it may have.

Documents are counted exactly. Bytes of updates are not: updates are on their way to the journal thousands of times a
second. Each process looks every few seconds how much the organizations have that are written to, and remembers who is
full; who writes then is refused before anybody is told of the edit. So an organization goes past its limit by what is
written in `CHECK_SECONDS`, and journaling costs what it did.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from infra.db import Database
from infra.logging import get_logger
from models import orgs
from models.documents import queries
from models.errors import TooLarge
from models.orgs import Limits, OrgScope, Permission, QuotaReached

log = get_logger(__name__)

CHECK_SECONDS: Final = 5.0
CHECK_SECONDS_AT_MOST: Final = 60.0
"""Also the longest until a limit that was changed is noticed."""
BYTES_PER_SECOND: Final = 10 * 1024 * 1024
"""Nobody writes more: who is far from the limit is looked at less often."""


class OrganizationFull(TooLarge):
    """The organization has as many bytes as it may have: delete documents for good, or ask for more."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an organization has, and what it may have."""

    members: int
    documents: int
    bytes: int
    limits: Limits


async def usage(session: AsyncSession, scope: OrgScope) -> Usage:
    """What the organization has."""
    scope.require(Permission.ORG_UPDATE)
    return await count(session, scope.org_id)


async def count(session: AsyncSession, org_id: UUID) -> Usage:
    """The same for an operator."""
    size = (await queries.sizes(session, [org_id])).get(org_id, (0, 0))
    return Usage(await orgs.count_members(session, org_id), *size, await orgs.limits(session, org_id))


async def require_room(session: AsyncSession, org_id: UUID) -> None:
    """Let an organization have one more document; whoever makes another one at this moment waits for this transaction.

    Raises:
        QuotaReached: it has all it may have.
    """
    limits = await orgs.limits(session, org_id)
    if limits.documents is None and limits.bytes is None:
        return
    await orgs.lock(session, org_id)
    documents, size = (await queries.sizes(session, [org_id])).get(org_id, (0, 0))
    if limits.documents is not None and documents >= limits.documents:
        raise QuotaReached(f"This organization has all the documents it may have: {limits.documents}.")
    if limits.bytes is not None and size >= limits.bytes:
        raise QuotaReached(f"This organization has all the bytes it may have: {limits.bytes}.")


class Fullness:
    """Which organizations have all the bytes they may have, as of some seconds ago."""

    def __init__(self) -> None:
        self._full: frozenset[UUID] = frozenset()
        self._written: set[UUID] = set()
        self._due: dict[UUID, float] = {}

    def has(self, org_id: UUID) -> bool:
        """Whether it is full, as far as this process knows. It is looked at from now on."""
        self._written.add(org_id)
        return org_id in self._full

    async def watch(self, db: Database, looked: Callable[[], None] = lambda: None) -> None:
        """Look for ever; tell each time."""
        while True:
            try:
                await self.look(db)
                looked()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("quotas cannot be looked at", error=repr(error))
            await asyncio.sleep(CHECK_SECONDS)

    async def look(self, db: Database) -> None:
        """Look at those that were asked for and whose time has come."""
        now = time.monotonic()
        due = [org_id for org_id in self._written | self._full if self._due.get(org_id, 0.0) <= now]
        if not due:
            return
        async with db.transaction(org_ids=due) as session:
            limits = {org_id: own.bytes for org_id, own in (await orgs.limits_of(session, due)).items()}
            sizes = await queries.sizes(session, [org_id for org_id, limit in limits.items() if limit is not None])
        full = set(self._full)
        self._due = {org_id: until for org_id, until in self._due.items() if until > now}
        for org_id, limit in limits.items():
            left = CHECK_SECONDS_AT_MOST * BYTES_PER_SECOND if limit is None else limit - sizes.get(org_id, (0, 0))[1]
            (full.discard if left > 0 else full.add)(org_id)
            self._due[org_id] = now + min(max(left / BYTES_PER_SECOND, 0.0), CHECK_SECONDS_AT_MOST)
        self._written.difference_update(due)
        self._full = frozenset(full)


fullness: Final = Fullness()
"""What this process knows."""
