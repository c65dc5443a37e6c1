"""How many automatic revisions an organization keeps, and thinning the others out.

The journal keeps every seq whatever becomes of revisions. Named ones, restorations and the newest one stay for ever.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from infra import clock
from models import audit, outbox
from models.audit import Act
from models.orgs import OrgScope, Permission
from models.revisions import queries, service
from models.revisions.tables import RetentionPolicy, Revision

AGAIN_SECONDS = 24 * 3600
"""So often the revisions of an organization with a policy are thinned."""


async def policy(session: AsyncSession, scope: OrgScope) -> RetentionPolicy | None:
    """The policy of the organization; None: everything is kept."""
    scope.require(Permission.DOCUMENT_LIST)
    return await _policy(session, scope.org_id)


async def set_policy(
    session: AsyncSession, scope: OrgScope, *, all_days: int, hourly_days: int, daily_days: int
) -> RetentionPolicy:
    """Keep fewer automatic revisions from now on. A flow thins them out soon, and then once a day."""
    scope.require(Permission.ORG_UPDATE)
    found = await _policy(session, scope.org_id)
    if found is None:
        found = RetentionPolicy(org_id=scope.org_id, all_days=0, hourly_days=0, daily_days=0, updated_by=UUID(int=0))
    found.all_days, found.hourly_days, found.daily_days = all_days, hourly_days, daily_days
    found.updated_by, found.updated_at = scope.actor.user_id, clock.now()
    session.add(found)
    await session.flush()
    days = {"all_days": all_days, "hourly_days": hourly_days, "daily_days": daily_days}
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.RETENTION_CHANGED, scope.org_id, **days)
    await outbox.emit(session, outbox.RETENTION_DUE, [(scope.org_id, scope.org_id)])
    return found


async def crowded(session: AsyncSession, org_id: UUID) -> tuple[RetentionPolicy, list[UUID]] | None:
    """The policy of an organization, and its documents that may have too many revisions. Called by the pipeline."""
    found = await _policy(session, org_id)
    if found is None:
        return None
    query = (
        select(Revision.document_id)
        .where(Revision.kind == "automatic", Revision.state == "stored")
        .where(col(Revision.created_at) <= clock.now() - timedelta(days=found.all_days))
        .group_by(col(Revision.document_id))
        .having(func.count() > 1)
    )
    return found, list(await session.scalars(query))


async def thin(session: AsyncSession, rules: RetentionPolicy, document_id: UUID, *, now: datetime) -> int:
    """Remove the automatic revisions of a document that the policy does not keep; how many.

    The seqs and authors of one that goes become those of the next one that stays.

    Raises:
        DocumentGone: there is no such document.
    """
    await service.hold(session, document_id)
    kept = await queries.all_of(session, document_id)
    doomed = _doomed(kept, rules, now)
    gone: list[Revision] = []
    for revision in kept:
        if revision.id in doomed:
            gone.append(revision)
            continue
        if gone:
            revision.seq_from = min(revision.seq_from, gone[0].seq_from)
            revision.authors = sorted({author for one in (*gone, revision) for author in one.authors})
            gone = []
    for revision in kept:
        if revision.id in doomed:
            await session.delete(revision)
    await session.flush()
    return len(doomed)


def _doomed(revisions: Sequence[Revision], rules: RetentionPolicy, now: datetime) -> set[UUID]:
    """Those that are not the last of the hour, day or week that their age gives them.

    The newest stays, and the newest that is stored: the document is opened from it.
    """
    newest_of: dict[tuple[str, datetime], UUID] = {}
    doomed: set[UUID] = set()
    stored = [revision for revision in revisions if revision.state == "stored"]
    for revision in reversed(stored[:-1]):
        if revision.kind != "automatic" or revision is revisions[-1]:
            continue
        slot = _slot(revision.created_at, rules, now)
        if slot is not None and newest_of.setdefault(slot, revision.id) != revision.id:
            doomed.add(revision.id)
    return doomed


def _slot(made: datetime, rules: RetentionPolicy, now: datetime) -> tuple[str, datetime] | None:
    """What only one revision is kept of; None where all are."""
    made = made.astimezone(UTC)
    day = made.replace(hour=0, minute=0, second=0, microsecond=0)
    if made > now - timedelta(days=rules.all_days):
        return None
    if made > now - timedelta(days=rules.hourly_days):
        return "hour", made.replace(minute=0, second=0, microsecond=0)
    if made > now - timedelta(days=rules.daily_days):
        return "day", day
    return "week", day - timedelta(days=day.weekday())


async def _policy(session: AsyncSession, org_id: UUID) -> RetentionPolicy | None:
    return await session.get(RetentionPolicy, org_id)
