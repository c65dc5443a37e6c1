"""The end of an organization: suspended by an operator; deleted by an owner, restored, or erased for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.db import set_scope
from models import audit
from models.audit import Act
from models.auth import Actor
from models.orgs import queries
from models.orgs.errors import NameDiffers
from models.orgs.members import in_turn
from models.orgs.scope import OrgNotFound, OrgScope, Permission, require_token
from models.orgs.service import read
from models.orgs.tables import Organization

GRACE = timedelta(days=30)
"""A deleted organization can be restored for so long."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of an organization there was."""

    org_id: UUID
    rows: dict[str, int]
    """By table."""


async def delete(session: AsyncSession, scope: OrgScope, *, name: str) -> datetime:
    """Delete the organization whose name one has typed again; when it will be erased. Everybody is out at once.

    Raises:
        NameDiffers: it is called something else.
    """
    scope = await in_turn(session, scope)
    scope.require(Permission.ORG_DELETE)
    organization = await read(session, scope)
    if organization.name != name:
        raise NameDiffers()
    organization.deleted_at = clock.now()
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.ORG_DELETED, scope.org_id)
    return organization.deleted_at + GRACE


async def deleted(session: AsyncSession, actor: Actor) -> list[Organization]:
    """The organizations somebody can restore."""
    return await queries.deleted(session, actor.user_id, since=clock.now() - GRACE)


async def restore(session: AsyncSession, actor: Actor, org_id: UUID) -> Organization:
    """Take the deletion of an organization back.

    Raises:
        OrgNotFound: there is none that they own and that can be restored.
    """
    require_token(actor, Permission.ORG_DELETE)
    await set_scope(session, user_id=actor.user_id, org_ids=actor.org_ids | {org_id})
    await queries.lock(session, org_id)
    restorable = {organization.id: organization for organization in await deleted(session, actor)}
    organization = restorable.get(org_id)
    if organization is None:
        raise OrgNotFound()
    organization.deleted_at = None
    await session.flush()
    await audit.record(session, org_id, actor.user_id, Act.ORG_RESTORED, org_id)
    return organization


async def suspend_all(session: AsyncSession, org_id: UUID, *, suspended: bool) -> Organization:
    """Close an organization to everybody, or open it again. Called for an operator, in a session scoped to it.

    Raises:
        OrgNotFound: there is none such.
    """
    await queries.lock(session, org_id)
    organization = await session.get(Organization, org_id)
    if organization is None:
        raise OrgNotFound()
    if suspended != (organization.suspended_at is not None):
        organization.suspended_at = clock.now() if suspended else None
        await session.flush()
        await audit.record(session, org_id, None, Act.ORG_SUSPENDED if suspended else Act.ORG_REACTIVATED, org_id)
    return organization


async def due(session: AsyncSession) -> list[UUID]:
    """The organizations whose time has come, by a session that sees all of them."""
    return await queries.deleted_before(session, clock.now() - GRACE)


async def erase(session: AsyncSession, org_id: UUID) -> Erased | None:
    """Delete every row of an organization whose time has come; None if it has not, or no more.

    Called by the pipeline, after the objects are gone, in a session scoped to the organization.
    """
    await queries.lock(session, org_id)
    organization = await session.get(Organization, org_id)
    if organization is None or organization.deleted_at is None or organization.deleted_at > clock.now() - GRACE:
        return None
    rows = await queries.count_rows(session, org_id)
    await queries.erase(session, org_id)
    return Erased(org_id, rows)
