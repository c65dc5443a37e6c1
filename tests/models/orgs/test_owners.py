"""An organization keeps an owner, whatever its owners do to themselves and each other at once."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import text

from infra.db import Database
from models import orgs
from models.auth import Actor
from models.orgs import LastOwner, MayNot, MemberNotFound, NotAnOwner, OrgNotFound, Role
from tests.flows.desk import until
from tests.models.orgs.office import Office, new_office

ACTS: dict[str, tuple[Callable[..., Awaitable[object]], int, tuple[object, ...]]] = {
    "leave": (orgs.remove, 0, ()),
    "demote oneself": (orgs.assign_role, 0, (Role.MEMBER,)),
    "become a guest": (orgs.assign_role, 0, (Role.GUEST,)),
    "remove the other": (orgs.remove, 1, ()),
    "demote the other": (orgs.assign_role, 1, (Role.ADMIN,)),
    "suspend the other": (orgs.suspend, 1, ()),
    "transfer to the other": (orgs.transfer, 1, ()),
    "transfer to a member": (orgs.transfer, 2, ()),
    "suspend the member": (orgs.suspend, 2, ()),
}
"""The verb, on whom (oneself, the other owner, the member), and what else it takes."""


async def owners(office: Office) -> list[UUID]:
    query = text("SELECT user_id FROM memberships WHERE org_id = :org AND role = 'owner' AND suspended_at IS NULL")
    async with office.db.transaction(org_ids=[office.org_id]) as session:
        return list(await session.scalars(query, {"org": office.org_id}))


async def somebody_waits(db: Database) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR NO KEY UPDATE%'"
    async with db.transaction() as session:
        return bool(await session.scalar(text(query)))


@pytest.mark.parametrize(("first", "second"), list(itertools.product(ACTS, ACTS)))
async def test_two_owners_at_once(db: Database, first: str, second: str) -> None:
    office = await new_office(db)
    ann, bob, eve = office.owner, await office.hire(Role.OWNER), await office.hire(Role.MEMBER)
    others = {ann: (ann, bob, eve), bob: (bob, ann, eve)}

    async def act(actor: Actor, name: str, before_commit: Awaitable[object] | None = None) -> None:
        verb, on, more = ACTS[name]
        async with office.as_(actor) as (session, scope):
            await verb(session, scope, others[actor][on].user_id, *more)
            if before_commit is not None:
                await before_commit

    waiting: asyncio.Task[None] | None = None

    async def let_the_other_begin() -> None:
        nonlocal waiting
        waiting = asyncio.create_task(act(bob, second))
        await until(lambda: somebody_waits(db))

    await act(ann, first, let_the_other_begin())
    assert waiting is not None
    with suppress(LastOwner, MayNot, OrgNotFound, NotAnOwner, MemberNotFound):
        await waiting
    assert await owners(office) != []


async def test_ownership_is_handed_over_as_a_whole(db: Database) -> None:
    office = await new_office(db)
    eve = await office.hire(Role.MEMBER)
    await office.do(office.owner, orgs.transfer, eve.user_id)
    assert await owners(office) == [eve.user_id]
    async with office.as_(office.owner) as (_, scope):
        assert scope.role == Role.ADMIN
    with pytest.raises(MayNot):
        await office.do(office.owner, orgs.transfer, office.owner.user_id)


@pytest.mark.parametrize("role", [Role.GUEST, "suspended"])
async def test_ownership_goes_to_no_guest_and_nobody_suspended(db: Database, role: str) -> None:
    office = await new_office(db)
    eve = await office.hire(Role.GUEST if role == Role.GUEST else Role.ADMIN)
    if role == "suspended":
        await office.do(office.owner, orgs.suspend, eve.user_id)
    with pytest.raises(NotAnOwner):
        await office.do(office.owner, orgs.transfer, eve.user_id)


async def test_a_suspended_owner_does_not_count(db: Database) -> None:
    office = await new_office(db)
    bob = await office.hire(Role.OWNER)
    await office.do(office.owner, orgs.suspend, bob.user_id)
    for verb, more in ((orgs.remove, ()), (orgs.assign_role, (Role.ADMIN,))):
        with pytest.raises(LastOwner):
            await office.do(office.owner, verb, office.owner.user_id, *more)
