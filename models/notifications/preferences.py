"""Whether somebody gets notifications by mail: at once, once a day, or not; for all, or for one organization."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from models.notifications.tables import MailPreference, OrgMailPreference
from models.orgs import OrgScope, Permission


class Mailing(StrEnum):
    """How notifications come by mail."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    OFF = "off"


DEFAULT = Mailing.DAILY

# Off for all is off everywhere: whoever has unsubscribed gets nothing, whatever they had set before.
_EFFECTIVE = text("""
    SELECT given.user_id FROM unnest(:users) AS given (user_id)
    LEFT JOIN mail_preferences AS general ON general.user_id = given.user_id
    LEFT JOIN org_mail_preferences AS special ON special.org_id = :org_id AND special.user_id = given.user_id
    WHERE CASE WHEN general.mailing = 'off' THEN 'off' ELSE COALESCE(special.mailing, general.mailing, :default) END
        = :mailing
""").bindparams(bindparam("users", type_=ARRAY(Uuid)), bindparam("org_id", type_=Uuid))


async def of(session: AsyncSession, user_id: UUID) -> Mailing:
    """What somebody has set for all."""
    found = await session.get(MailPreference, user_id)
    return Mailing(found.mailing) if found else DEFAULT


async def of_orgs(session: AsyncSession, user_id: UUID) -> dict[UUID, Mailing]:
    """What they have set for single organizations, of those that the session sees."""
    query = select(OrgMailPreference).where(OrgMailPreference.user_id == user_id)
    return {row.org_id: Mailing(row.mailing) for row in await session.scalars(query)}


async def prefer(session: AsyncSession, user_id: UUID, mailing: Mailing) -> None:
    """Set it for all."""
    values = insert(MailPreference).values(user_id=user_id, mailing=mailing)
    await session.execute(values.on_conflict_do_update(index_elements=["user_id"], set_={"mailing": mailing}))


async def prefer_in_org(session: AsyncSession, scope: OrgScope, mailing: Mailing | None) -> None:
    """Set it for one organization; None: as for all."""
    scope.require(Permission.DOCUMENT_LIST)
    key = {"org_id": scope.org_id, "user_id": scope.actor.user_id}
    if mailing is None:
        await session.execute(delete(OrgMailPreference).filter_by(**key))
        return
    values = insert(OrgMailPreference).values(**key, mailing=mailing)
    await session.execute(values.on_conflict_do_update(index_elements=list(key), set_={"mailing": mailing}))


async def with_mailing(session: AsyncSession, org_id: UUID, users: Sequence[UUID], mailing: Mailing) -> list[UUID]:
    """Those of some people who get what happens in an organization in this way."""
    given = {"users": list(users), "org_id": org_id, "mailing": mailing, "default": DEFAULT}
    return list(await session.scalars(_EFFECTIVE, given))
