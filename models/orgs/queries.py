"""The SQL of organizations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from models.auth.tables import User
from models.base import OrgOwned
from models.orgs.tables import Group, GroupMember, Invitation, Membership, Organization, OrgQuota


async def membership(session: AsyncSession, org_id: UUID, user_id: UUID) -> Membership | None:
    """Somebody's membership as it is now."""
    return await session.get(Membership, (org_id, user_id), populate_existing=True)


async def lock(session: AsyncSession, org_id: UUID) -> None:
    """Let everybody else who wants to change the members of an organization, or end it, wait."""
    query = select(Organization.id).where(Organization.id == org_id).with_for_update(key_share=True)
    await session.execute(query)


async def live_role(session: AsyncSession, org_id: UUID, user_id: UUID) -> str | None:
    """Somebody's role in an organization, as long as neither of the two is suspended or deleted."""
    query = (
        select(Membership.role)
        .join(Organization, col(Organization.id) == Membership.org_id)
        .where(Membership.org_id == org_id, Membership.user_id == user_id, *live())
    )
    return (await session.execute(query)).scalar_one_or_none()


def live() -> tuple[ColumnElement[bool], ...]:
    """What a membership must fulfil to be worth anything, joined with its organization."""
    return (
        col(Membership.suspended_at).is_(None),
        col(Organization.suspended_at).is_(None),
        col(Organization.deleted_at).is_(None),
    )


async def organizations_of(session: AsyncSession, user_id: UUID) -> list[Row[tuple[Organization, str]]]:
    """The organizations somebody belongs to, with the role, oldest first."""
    query = (
        select(Organization, Membership.role)
        .join(Membership, col(Membership.org_id) == Organization.id)
        .where(Membership.user_id == user_id, *live())
        .order_by(col(Organization.id))
    )
    return list(await session.execute(query))


async def members(session: AsyncSession, org_id: UUID) -> list[Row[tuple[Membership, User]]]:
    """Who belongs to an organization, in order of joining."""
    query = (
        select(Membership, User)
        .join(User, col(User.id) == Membership.user_id)
        .where(Membership.org_id == org_id)
        .order_by(col(Membership.created_at), col(Membership.user_id))
    )
    return list(await session.execute(query))


async def owners(session: AsyncSession, org_id: UUID) -> list[UUID]:
    """The owners who are not suspended."""
    query = select(Membership.user_id).where(
        Membership.org_id == org_id, Membership.role == "owner", col(Membership.suspended_at).is_(None)
    )
    return list(await session.scalars(query))


async def quotas(session: AsyncSession, org_ids: list[UUID]) -> list[OrgQuota]:
    """What was set for some organizations; most have no row."""
    query = select(OrgQuota).where(col(OrgQuota.org_id).in_(org_ids)).execution_options(populate_existing=True)
    return list(await session.scalars(query))


async def count_members(session: AsyncSession, org_id: UUID) -> int:
    """How many belong to an organization."""
    query = select(func.count()).select_from(Membership).where(Membership.org_id == org_id)
    return await session.scalar(query) or 0


async def invitations(session: AsyncSession, org_id: UUID) -> list[Invitation]:
    """Open invitations, newest first."""
    query = (
        select(Invitation)
        .where(
            Invitation.org_id == org_id,
            col(Invitation.uses) < Invitation.max_uses,
            col(Invitation.expires_at) > func.now(),
        )
        .order_by(col(Invitation.id).desc())
    )
    return list(await session.scalars(query))


async def invitation(session: AsyncSession, org_id: UUID, invitation_id: UUID) -> Invitation | None:
    """One invitation, locked."""
    return await session.get(Invitation, (org_id, invitation_id), with_for_update=True)


async def groups(session: AsyncSession, org_id: UUID) -> list[Row[tuple[Group, int]]]:
    """Groups by name, with how many are in each."""
    count = func.count(col(GroupMember.user_id))
    query = (
        select(Group, count)
        .join(
            GroupMember,
            (col(GroupMember.org_id) == Group.org_id) & (col(GroupMember.group_id) == Group.id),
            isouter=True,
        )
        .where(Group.org_id == org_id)
        .group_by(col(Group.org_id), col(Group.id))
        .order_by(col(Group.name))
    )
    return list(await session.execute(query))


async def group_named(session: AsyncSession, org_id: UUID, name: str) -> Group | None:
    """The group of a name."""
    query = select(Group).where(Group.org_id == org_id, Group.name == name)
    return (await session.execute(query)).scalar_one_or_none()


async def group_members(session: AsyncSession, org_id: UUID, group_id: UUID) -> list[User]:
    """Who is in a group, by name."""
    query = (
        select(User)
        .join(GroupMember, col(GroupMember.user_id) == User.id)
        .where(GroupMember.org_id == org_id, GroupMember.group_id == group_id)
        .order_by(col(User.name), col(User.id))
    )
    return list(await session.scalars(query))


async def deleted(session: AsyncSession, user_id: UUID, *, since: datetime) -> list[Organization]:
    """Deleted organizations somebody owns, newest deletion first."""
    query = (
        select(Organization)
        .join(Membership, col(Membership.org_id) == Organization.id)
        .where(
            Membership.user_id == user_id,
            Membership.role == "owner",
            col(Membership.suspended_at).is_(None),
            col(Organization.suspended_at).is_(None),
            col(Organization.deleted_at) > since,
        )
        .order_by(col(Organization.deleted_at).desc())
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))


async def deleted_before(session: AsyncSession, moment: datetime) -> list[UUID]:
    """Organizations that were deleted that long ago."""
    query = select(Organization.id).where(col(Organization.deleted_at) <= moment).order_by(col(Organization.id))
    return list(await session.scalars(query))


async def count_rows(session: AsyncSession, org_id: UUID) -> dict[str, int]:
    """How many rows an organization has, by table."""
    counts = {}
    for table in OrgOwned.__subclasses__():
        query = select(func.count()).select_from(table).where(col(table.org_id) == org_id)
        counts[str(table.__tablename__)] = await session.scalar(query) or 0
    return counts


async def erase(session: AsyncSession, org_id: UUID) -> None:
    """Delete an organization and, by its foreign keys, everything it owns; and what is waiting to be done for it."""
    await session.execute(text("DELETE FROM outbox WHERE org_id = :org_id"), {"org_id": org_id})
    await session.execute(delete(Organization).where(col(Organization.id) == org_id))
