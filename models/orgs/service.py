"""Organizations: founding them, reading and changing what is set for all of one."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from infra.db import set_scope
from models import audit
from models.audit import Act
from models.auth import Actor
from models.orgs import queries
from models.orgs.scope import OrgScope, Permission, Role, require_token
from models.orgs.tables import Membership, Organization


async def found(session: AsyncSession, actor: Actor, *, name: str) -> Organization:
    """A new organization whose owner is whoever founds it."""
    require_token(actor, Permission.ORG_UPDATE)
    organization = Organization(name=name, created_by=actor.user_id)
    await set_scope(session, user_id=actor.user_id, org_ids=actor.org_ids | {organization.id})
    session.add(organization)
    await session.flush()
    session.add(Membership(org_id=organization.id, user_id=actor.user_id, role=Role.OWNER))
    await session.flush()
    await audit.record(session, organization.id, actor.user_id, Act.ORG_FOUNDED, organization.id)
    return organization


async def of(session: AsyncSession, actor: Actor) -> list[Row[tuple[Organization, str]]]:
    """The organizations somebody belongs to and is not kept out of, with their role in each."""
    return await queries.organizations_of(session, actor.user_id)


async def read(session: AsyncSession, scope: OrgScope) -> Organization:
    """The organization of the scope."""
    organization = await session.get(Organization, scope.org_id)
    assert organization is not None, "a scope is made from a membership, which refers to its organization"
    return organization


async def change(session: AsyncSession, scope: OrgScope, **settings: Any) -> Organization:
    """Change what is given of the name and the settings (the columns of `Organization`)."""
    scope.require(Permission.ORG_UPDATE)
    organization = await read(session, scope)
    for setting, value in settings.items():
        setattr(organization, setting, value)
    await session.flush()
    act = Act.ORG_RENAMED if settings.keys() == {"name"} else Act.ORG_CHANGED
    await audit.record(session, scope.org_id, scope.actor.user_id, act, scope.org_id, **settings)
    return organization
