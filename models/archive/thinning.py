"""Old automatic revisions need no snapshot of their own: folding again from the one before gives the same bytes.

That is not assumed but tried, for each, before its snapshot is given up. The revision stays, with its hash.
"""

from datetime import timedelta

from infra import clock
from infra.db import Database
from infra.storage import ObjectStore
from models import revisions
from models.archive.service import Plan
from models.revisions import Revision

APART = 10_000
"""Updates between two snapshots that stay: applying so many takes some 50 ms."""


async def thin(db: Database, store: ObjectStore, plan: Plan, *, age: timedelta) -> int:
    """Give up what old snapshots of a document are not needed; how many. The newest, and those of people, stay.

    The objects go later, when no backup refers to them either.
    """
    async with db.transaction(org_ids=[plan.org_id]) as session:
        stored = await revisions.all_stored(session, plan.document_id)
    kept: Revision | None = None
    given_up = 0
    for revision in stored[:-1]:
        if await _can_go(db, store, plan, revision, kept, age):
            given_up += 1
        else:
            kept = revision
    return given_up


async def _can_go(
    db: Database, store: ObjectStore, plan: Plan, revision: Revision, kept: Revision | None, age: timedelta
) -> bool:
    since = kept.seq_to if kept else 0
    young = revision.created_at > clock.now() - age
    if revision.kind != "automatic" or young or revision.seq_to - since >= APART:
        return False
    async with db.transaction(org_ids=[plan.org_id]) as session:
        folded = await revisions.fold_from(session, store, revision, kept)
        if folded.sha256 != revision.sha256:
            return False
        return await revisions.derive(session, revision)
