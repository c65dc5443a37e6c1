"""Leaving for good: asked for, and done after a while in which signing in takes it back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.db import set_scope
from infra.settings import Settings
from models import audit, auth, mail, outbox
from models.audit import AccountAct
from models.auth import Actor
from models.errors import Conflict
from models.people import queries


class OwnsAlone(Conflict):
    """You are the only owner of an organization with other members: make somebody else its owner, or delete it."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"Make somebody else the owner of {', '.join(names)} first, or delete it.")


async def request_deletion(session: AsyncSession, settings: Settings, actor: Actor) -> datetime:
    """Sign out everywhere, and be erased after the grace; when that will be. Signing in until then takes it back.

    Raises:
        OwnsAlone: somebody would be left in an organization without an owner.
    """
    await set_scope(session, user_id=actor.user_id, org_ids=await queries.org_ids(session, actor.user_id))
    left_alone = [org.name for org in await queries.owned(session, actor.user_id) if org.has_others > org.has_owners]
    if left_alone:
        raise OwnsAlone(left_alone)
    user = await auth.account(session, actor)
    grace = settings.deletion_grace_seconds
    due_at = user.deletion_due_at = clock.now() + timedelta(seconds=grace)
    await session.flush()
    subject = [(outbox.NO_ORG, user.id)]
    await outbox.emit(session, outbox.DELETION_REQUESTED, subject, quiet=grace, max_age=grace)
    when = f"{due_at:%d %B %Y, %H:%M} UTC"
    await mail.send(session, to=user.email, template="account_deletion", name=user.name, when=when)
    await audit.record_account(session, user.id, AccountAct.DELETION_REQUESTED)
    await auth.end_everything(session, user.id)
    return due_at
