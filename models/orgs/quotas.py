"""What an organization may have at most, so that none uses up what others need.

Operators set it (`doxie admin quota`). What is not set for an organization is what the settings say for all
(`DOXIE_QUOTA_…`); where they say nothing either there is no limit.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra.settings import get_settings
from models import audit
from models.audit import Act
from models.errors import Forbidden
from models.orgs import queries
from models.orgs.scope import OrgNotFound
from models.orgs.tables import Organization, OrgQuota

MOST: Final = 2**63 - 1


class QuotaReached(Forbidden):
    """The organization has as much as it may have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of each at most; None: as many as it likes."""

    members: int | None
    """Who belongs to it, guests and suspended members included."""
    documents: int | None
    """Those in the trash included."""
    bytes: int | None
    """Of all updates of these documents, archived ones included."""


async def limits(session: AsyncSession, org_id: UUID) -> Limits:
    """What an organization may have."""
    return (await limits_of(session, [org_id]))[org_id]


async def limits_of(session: AsyncSession, org_ids: list[UUID]) -> dict[UUID, Limits]:
    """The same for many, in one statement."""
    set_for = {quota.org_id: quota for quota in await queries.quotas(session, org_ids)}
    return {org_id: _limits(set_for.get(org_id)) for org_id in org_ids}


async def set_quota(session: AsyncSession, org_id: UUID, **given: int | None) -> Limits:
    """Set what is given of the limits (the columns of `OrgQuota`), or with None go back to what the settings say.

    Called for an operator, by the owner of the tables. What is there already stays, however much it is.

    Raises:
        OrgNotFound: there is none such.
    """
    await queries.lock(session, org_id)
    if await session.get(Organization, org_id) is None:
        raise OrgNotFound()
    quota = await session.get(OrgQuota, org_id) or OrgQuota(org_id=org_id)
    for what, limit in given.items():
        setattr(quota, what, limit)
    session.add(quota)
    await session.flush()
    await audit.record(session, org_id, None, Act.ORG_QUOTA_CHANGED, org_id, **given)
    return _limits(quota)


async def require_seat(session: AsyncSession, org_id: UUID) -> None:
    """Let one more belong to an organization, whose lock the caller holds if it has to be exact.

    Raises:
        QuotaReached: it has all the members it may have.
    """
    limit = (await limits(session, org_id)).members
    if limit is not None and await queries.count_members(session, org_id) >= limit:
        raise QuotaReached(f"This organization has all the members it may have: {limit}.")


def _limits(quota: OrgQuota | None) -> Limits:
    settings = get_settings()
    defaults = settings.quota_members, settings.quota_documents, settings.quota_bytes
    own = (quota.members, quota.documents, quota.bytes) if quota else (None, None, None)
    return Limits(*(default if limit is None else limit for limit, default in zip(own, defaults, strict=True)))
