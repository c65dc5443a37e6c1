"""Groups: some of the members, who are granted things together."""

from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from models import audit
from models.audit import Act
from models.auth import User
from models.orgs import queries
from models.orgs.errors import GroupExists, GroupNotFound, MemberNotFound
from models.orgs.scope import OrgScope, Permission
from models.orgs.tables import Group, GroupMember


async def groups(session: AsyncSession, scope: OrgScope) -> list[Row[tuple[Group, int]]]:
    """All of them by name, with how many are in each."""
    scope.require(Permission.GROUP_LIST)
    return await queries.groups(session, scope.org_id)


async def create_group(session: AsyncSession, scope: OrgScope, *, name: str) -> Group:
    """A new group with nobody in it.

    Raises:
        GroupExists: there is one of this name.
    """
    scope.require(Permission.GROUP_MANAGE)
    await _require_free(session, scope, name)
    group = Group(org_id=scope.org_id, name=name)
    session.add(group)
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.GROUP_CREATED, group.id, name=name)
    return group


async def rename_group(session: AsyncSession, scope: OrgScope, group_id: UUID, *, name: str) -> Group:
    """Give a group another name.

    Raises:
        GroupExists: another one has it.
    """
    scope.require(Permission.GROUP_MANAGE)
    group = await _group(session, scope, group_id)
    if group.name != name:
        await _require_free(session, scope, name)
        group.name = name
        await session.flush()
        await audit.record(session, scope.org_id, scope.actor.user_id, Act.GROUP_RENAMED, group.id, name=name)
    return group


async def delete_group(session: AsyncSession, scope: OrgScope, group_id: UUID) -> None:
    """Delete a group, with everything that was granted to it."""
    scope.require(Permission.GROUP_MANAGE)
    group = await _group(session, scope, group_id)
    await session.delete(group)
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.GROUP_DELETED, group_id, name=group.name)


async def group_members(session: AsyncSession, scope: OrgScope, group_id: UUID) -> list[User]:
    """Who is in a group, by name."""
    scope.require(Permission.GROUP_LIST)
    await _group(session, scope, group_id)
    return await queries.group_members(session, scope.org_id, group_id)


async def join_group(session: AsyncSession, scope: OrgScope, group_id: UUID, user_id: UUID) -> None:
    """Put a member into a group; again changes nothing.

    Raises:
        MemberNotFound: they do not belong to the organization.
    """
    scope.require(Permission.GROUP_MANAGE)
    await _group(session, scope, group_id)
    if await queries.membership(session, scope.org_id, user_id) is None:
        raise MemberNotFound()
    if await session.get(GroupMember, (scope.org_id, group_id, user_id)) is None:
        session.add(GroupMember(org_id=scope.org_id, group_id=group_id, user_id=user_id))
        await session.flush()
        await audit.record(session, scope.org_id, scope.actor.user_id, Act.GROUP_JOINED, group_id, user=str(user_id))


async def leave_group(session: AsyncSession, scope: OrgScope, group_id: UUID, user_id: UUID) -> None:
    """Take a member out of a group.

    Raises:
        MemberNotFound: they are not in it.
    """
    scope.require(Permission.GROUP_MANAGE)
    await _group(session, scope, group_id)
    place = await session.get(GroupMember, (scope.org_id, group_id, user_id))
    if place is None:
        raise MemberNotFound()
    await session.delete(place)
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.GROUP_LEFT, group_id, user=str(user_id))


async def _group(session: AsyncSession, scope: OrgScope, group_id: UUID) -> Group:
    group = await session.get(Group, (scope.org_id, group_id))
    if group is None:
        raise GroupNotFound()
    return group


async def _require_free(session: AsyncSession, scope: OrgScope, name: str) -> None:
    if await queries.group_named(session, scope.org_id, name) is not None:
        raise GroupExists()
