"""Members: changing their roles, handing ownership over, suspending, removing, leaving.

Whoever changes members of an organization takes its lock first and looks at their own role again: two who act on each
other at once take turns, and the second one acts as what the first one has left them.
"""

from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from models import audit
from models.audit import Act
from models.auth import User
from models.orgs import queries
from models.orgs.errors import LastOwner, MemberNotFound, NotAnOwner, NotOneself
from models.orgs.scope import OrgScope, Permission, Role, enter, require_token
from models.orgs.tables import Membership


async def members(session: AsyncSession, scope: OrgScope) -> list[Row[tuple[Membership, User]]]:
    """Who belongs to it."""
    scope.require(Permission.MEMBER_LIST)
    return await queries.members(session, scope.org_id)


async def assign_role(session: AsyncSession, scope: OrgScope, user_id: UUID, role: Role) -> Membership:
    """Make a member something else. Only an owner makes or unmakes owners.

    Raises:
        LastOwner: nobody else owns the organization.
    """
    scope = await in_turn(session, scope)
    membership = await _managed(session, scope, user_id, role)
    if role != Role.OWNER:
        await _keep_an_owner(session, membership)
    before, membership.role = membership.role, role
    await session.flush()
    await _note(session, scope, Act.ROLE_CHANGED, user_id, before=before, role=role)
    return membership


async def transfer(session: AsyncSession, scope: OrgScope, user_id: UUID) -> Membership:
    """Make somebody else the owner, and oneself an admin.

    Raises:
        NotAnOwner: they are a guest or suspended.
    """
    scope = await in_turn(session, scope)
    scope.require(Permission.OWNER_MANAGE)
    if user_id == scope.actor.user_id:
        raise NotOneself()
    membership = await _managed(session, scope, user_id)
    if membership.role == Role.GUEST or membership.suspended_at is not None:
        raise NotAnOwner()
    own = await _own(session, scope)
    membership.role, own.role = Role.OWNER, Role.ADMIN
    await session.flush()
    await _note(session, scope, Act.OWNERSHIP_TRANSFERRED, user_id)
    return membership


async def suspend(session: AsyncSession, scope: OrgScope, user_id: UUID) -> Membership:
    """Keep a member out; their role, groups and grants stay for when they are let in again.

    Raises:
        LastOwner: nobody else owns the organization.
    """
    scope = await in_turn(session, scope)
    if user_id == scope.actor.user_id:
        raise NotOneself()
    membership = await _managed(session, scope, user_id)
    await _keep_an_owner(session, membership)
    if membership.suspended_at is None:
        membership.suspended_at = clock.now()
        await session.flush()
        await _note(session, scope, Act.MEMBER_SUSPENDED, user_id)
    return membership


async def reactivate(session: AsyncSession, scope: OrgScope, user_id: UUID) -> Membership:
    """Let a suspended member in again."""
    scope = await in_turn(session, scope)
    membership = await _managed(session, scope, user_id)
    if membership.suspended_at is not None:
        membership.suspended_at = None
        await session.flush()
        await _note(session, scope, Act.MEMBER_REACTIVATED, user_id)
    return membership


async def remove(session: AsyncSession, scope: OrgScope, user_id: UUID) -> None:
    """Remove a member; everybody may remove themselves. Their groups and grants go with them.

    Raises:
        LastOwner: nobody else owns the organization.
    """
    scope = await in_turn(session, scope)
    leaving = user_id == scope.actor.user_id
    membership = await _own(session, scope) if leaving else await _managed(session, scope, user_id)
    await _keep_an_owner(session, membership)
    await session.delete(membership)
    await session.flush()
    await _note(session, scope, Act.MEMBER_LEFT if leaving else Act.MEMBER_REMOVED, user_id, role=membership.role)


async def in_turn(session: AsyncSession, scope: OrgScope) -> OrgScope:
    """The scope as it is now that nobody else changes members, until this transaction ends.

    Raises:
        OrgNotFound: meanwhile they do not belong to it any more.
    """
    await queries.lock(session, scope.org_id)
    return await enter(session, scope.actor, scope.org_id)


async def _managed(session: AsyncSession, scope: OrgScope, user_id: UUID, role: Role | None = None) -> Membership:
    """Somebody's membership, to be changed (to a role): admins manage members, and owners manage owners."""
    scope.require(Permission.MEMBER_MANAGE)
    membership = await queries.membership(session, scope.org_id, user_id)
    if membership is None:
        raise MemberNotFound()
    if Role.OWNER in (membership.role, role):
        scope.require(Permission.OWNER_MANAGE)
    return membership


async def _own(session: AsyncSession, scope: OrgScope) -> Membership:
    require_token(scope.actor, Permission.MEMBER_MANAGE)
    membership = await queries.membership(session, scope.org_id, scope.actor.user_id)
    assert membership is not None, "a scope is made from a membership"
    return membership


async def _keep_an_owner(session: AsyncSession, membership: Membership) -> None:
    if await queries.owners(session, membership.org_id) == [membership.user_id]:
        raise LastOwner()


async def _note(session: AsyncSession, scope: OrgScope, act: Act, user_id: UUID, **details: str) -> None:
    await audit.record(session, scope.org_id, scope.actor.user_id, act, user_id, **details)
