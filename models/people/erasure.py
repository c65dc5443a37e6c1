"""Forgetting somebody: what is about them is deleted; what they did stays under an id that names nobody any more."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from models import audit, mail
from models.audit import Act
from models.auth import User
from models.people import queries
from models.people.tables import Erasure

POSTPONED = timedelta(days=1)
"""Whoever has become the only owner of an organization meanwhile is asked for again so much later."""

_DELETE_ORG = text("UPDATE organizations SET deleted_at = now() WHERE id = :id").bindparams(bindparam("id", type_=Uuid))
# What the audit log says was done stays; where from, and names and addresses in its details, does not.
_ANONYMIZE = text("""
    UPDATE audit_events SET ip = '', user_agent = '', details = details - '{email,name,recipient}'::text[]
    WHERE actor_id = :id OR target_id = :id
""").bindparams(bindparam("id", type_=Uuid))
_WRITTEN = text("SELECT count(*) FROM document_updates WHERE actor_id = :id").bindparams(bindparam("id", type_=Uuid))


@dataclass(frozen=True, slots=True)
class Erased:
    """It is done; the numbers are rows by table."""

    deleted: dict[str, int]
    anonymized: dict[str, int]
    pseudonymous: dict[str, int]
    organizations_deleted: int

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "deleted": self.deleted,
            "anonymized": self.anonymized,
            "pseudonymous": self.pseudonymous,
            "organizations_deleted": self.organizations_deleted,
        }


@dataclass(frozen=True, slots=True)
class Postponed:
    """It is not to be done yet."""

    seconds: float


Outcome = Erased | Postponed | None
"""None: it was taken back."""


async def erase(session: AsyncSession, user_id: UUID, *, flow_run_id: UUID | None) -> Outcome:
    """Erase an account whose time has come; of one that is erased, what was done then.

    The session must be one that sees every row and may delete it.
    """
    done = await session.get(Erasure, user_id)
    if done is not None:
        return Erased(**done.report)
    user = await session.get(User, user_id, with_for_update=True)
    if user is None or user.deletion_due_at is None:
        return None
    remaining = (user.deletion_due_at - clock.now()).total_seconds()
    if remaining > 0:
        return Postponed(remaining)
    owned = await queries.owned(session, user_id)
    if any(org.has_others > org.has_owners for org in owned):
        user.deletion_due_at = clock.now() + POSTPONED
        return Postponed(POSTPONED.total_seconds())
    alone = [org.org_id for org in owned if not org.has_others]
    await _leave(session, user_id, alone)
    erased = await _forget(session, user, organizations_deleted=len(alone))
    session.add(Erasure(user_id=user_id, report=erased.as_json(), flow_run_id=flow_run_id))
    await session.flush()
    return erased


async def _leave(session: AsyncSession, user_id: UUID, alone: list[UUID]) -> None:
    """Organizations nobody else belongs to end with them, as if they had deleted them."""
    for org_id in await queries.org_ids(session, user_id):
        await audit.record(session, org_id, user_id, Act.MEMBER_LEFT, user_id)
        if org_id in alone:
            await session.execute(_DELETE_ORG, {"id": org_id})
            await audit.record(session, org_id, user_id, Act.ORG_DELETED, org_id)


async def _forget(session: AsyncSession, user: User, *, organizations_deleted: int) -> Erased:
    email, name = user.email, user.name
    places = await queries.places(session)
    theirs: list[tuple[queries.Place, object]] = [(place, user.id) for place in places if place.is_theirs]
    theirs += [(place, email) for place in await queries.addressed(session)]
    # Counted before anything goes, since one deletion may take rows of another table along.
    deleted = {f"{place.table}.{place.column}": await queries.count(session, place, value) for place, value in theirs}
    kept = {
        f"{place.table}.{place.column}": await queries.count(session, place, user.id)
        for place in places
        if not place.is_theirs
    }
    kept["document_updates.actor_id"] = int(await session.scalar(_WRITTEN, {"id": user.id}) or 0)
    for place, value in theirs:
        await queries.delete(session, place, value)
    anonymized = await session.execute(_ANONYMIZE, {"id": user.id})
    await mail.send(session, to=email, template=mail.LAST, name=name)
    _become_nobody(user)
    await session.flush()
    return Erased(_some(deleted), {"audit_events": _rows(anonymized), "users": 1}, _some(kept), organizations_deleted)


def _become_nobody(user: User) -> None:
    now = clock.now()
    user.email, user.name, user.password_hash = f"{user.id}@erased.invalid", "Deleted user", None
    user.email_verified_at, user.deletion_due_at, user.is_operator = None, None, False
    user.erased_at = user.tokens_valid_from = now


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {name: number for name, number in counts.items() if number}


def _rows(result: Any) -> int:
    return int(result.rowcount)
