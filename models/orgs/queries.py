"""The SQL of organizations."""

from uuid import UUID

from sqlalchemy import ColumnElement, Row, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from models.auth.tables import User
from models.orgs.tables import Invitation, Membership, Organization


async def membership(
    session: AsyncSession, org_id: UUID, user_id: UUID, *, for_update: bool = False
) -> Membership | None:
    """Somebody's membership."""
    query = select(Membership).where(Membership.org_id == org_id, Membership.user_id == user_id)
    if for_update:
        query = query.with_for_update()
    return (await session.execute(query)).scalar_one_or_none()


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


async def owners_locked(session: AsyncSession, org_id: UUID) -> list[UUID]:
    """The owners who are not suspended, locked: two owners who leave at once take turns."""
    query = (
        select(Membership.user_id)
        .where(Membership.org_id == org_id, Membership.role == "owner", col(Membership.suspended_at).is_(None))
        .order_by(col(Membership.user_id))
        .with_for_update()
    )
    return list(await session.scalars(query))


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
    query = select(Invitation).where(Invitation.org_id == org_id, Invitation.id == invitation_id).with_for_update()
    return (await session.execute(query)).scalar_one_or_none()
