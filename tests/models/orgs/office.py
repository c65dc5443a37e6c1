"""An organization and its people, without HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.db import Database
from models import auth, orgs
from models.auth import Actor
from models.orgs import Membership, OrgScope, Role

T = TypeVar("T")


@dataclass(frozen=True)
class Office:
    """An organization and who founded it."""

    db: Database
    org_id: UUID
    owner: Actor

    async def hire(self, role: Role) -> Actor:
        """Somebody new with a role."""
        actor = await new_actor(self.db)
        async with self.db.transaction(org_ids=[self.org_id]) as session:
            session.add(Membership(org_id=self.org_id, user_id=actor.user_id, role=role))
        return replace(actor, org_ids=frozenset({self.org_id}))

    @asynccontextmanager
    async def as_(self, actor: Actor) -> AsyncIterator[tuple[AsyncSession, OrgScope]]:
        """A transaction of somebody."""
        async with self.db.transaction(user_id=actor.user_id, org_ids=[self.org_id]) as session:
            yield session, await orgs.enter(session, actor, self.org_id)

    async def do(self, actor: Actor, verb: Callable[..., Awaitable[T]], *arguments: object, **keywords: object) -> T:
        """Let somebody do something in a transaction of its own."""
        async with self.as_(actor) as (session, scope):
            return await verb(session, scope, *arguments, **keywords)


async def new_actor(db: Database) -> Actor:
    """Somebody with an account."""
    async with db.transaction() as session:
        user = await auth.register(session, email=f"{clock.new_id()}@example.org", name="Ada", password_hash="x")
    return Actor(user.id, None, user.name)


async def new_office(db: Database) -> Office:
    """An organization with one owner."""
    owner = await new_actor(db)
    async with db.transaction(user_id=owner.user_id) as session:
        org_id = (await orgs.found(session, owner, name="Office")).id
    return Office(db, org_id, replace(owner, org_ids=frozenset({org_id})))
