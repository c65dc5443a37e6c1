"""Noting acts in the transaction that does them, and reading them."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import origin
from infra.db import set_scope
from models.audit.tables import AccountEvent, AuditEvent


class Act(StrEnum):
    """What is noted in an organization, named `noun.past`."""

    ORG_FOUNDED = "org.founded"
    ORG_RENAMED = "org.renamed"
    MEMBER_INVITED = "member.invited"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    MEMBER_JOINED = "member.joined"
    MEMBER_REMOVED = "member.removed"
    ROLE_CHANGED = "role.changed"
    DOCUMENT_TRASHED = "document.trashed"
    DOCUMENT_RECOVERED = "document.recovered"
    DOCUMENT_EXPORTED = "document.exported"
    DOCUMENT_RESTORED = "document.restored"
    EDITS_UNDONE = "document.edits_undone"
    DOCUMENTS_IMPORTED = "documents.imported"
    ORG_EXPORTED = "org.exported"
    RETENTION_CHANGED = "retention.changed"
    PIPELINE_REPLAYED = "pipeline.replayed"


class AccountAct(StrEnum):
    """What is noted of an account, and in each of its organizations as `account.…`."""

    REGISTERED = "account.registered"
    SIGNED_IN = "account.signed_in"
    SIGN_IN_FAILED = "account.sign_in_failed"
    SIGNED_OUT = "account.signed_out"
    SESSION_REVOKED = "account.session_revoked"
    REFRESH_REPLAYED = "account.refresh_replayed"


# As text, since `audit` knows nothing of `orgs`, which builds on it.
_ORGS_OF = text("SELECT org_id FROM memberships WHERE user_id = :user_id").bindparams(bindparam("user_id", type_=Uuid))


async def record(
    session: AsyncSession,
    org_id: UUID,
    actor_id: UUID | None,
    act: Act,
    target_id: UUID | None = None,
    **details: Any,
) -> None:
    """Note an act in an organization that this session is scoped to. Details must hold no secret."""
    event = AuditEvent(org_id=org_id, actor_id=actor_id, action=act, target_id=target_id, details=details, **_where())
    session.add(event)
    await session.flush()


async def record_account(session: AsyncSession, user_id: UUID, act: AccountAct, **details: Any) -> None:
    """Note an act of an account there and in all its organizations.

    The session is scoped to the account and its organizations afterwards, so this comes last.
    """
    await set_scope(session, user_id=user_id, org_ids=())
    orgs = list(await session.scalars(_ORGS_OF, {"user_id": user_id}))
    await set_scope(session, user_id=user_id, org_ids=orgs)
    where = _where()
    session.add(AccountEvent(user_id=user_id, action=act, details=details, **where))
    session.add_all(
        AuditEvent(org_id=org_id, actor_id=user_id, action=act, target_id=user_id, details=details, **where)
        for org_id in orgs
    )
    await session.flush()


async def log(
    session: AsyncSession, org_id: UUID, *, after: UUID | None = None, action: str | None = None, limit: int = 50
) -> list[AuditEvent]:
    """The acts in an organization, newest first, after an id."""
    query = select(AuditEvent).where(AuditEvent.org_id == org_id)
    if after is not None:
        query = query.where(col(AuditEvent.id) < after)
    if action is not None:
        query = query.where(AuditEvent.action == action)
    return list(await session.scalars(query.order_by(col(AuditEvent.id).desc()).limit(limit)))


async def account_log(
    session: AsyncSession, user_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> list[AccountEvent]:
    """The acts of an account, newest first, after an id."""
    query = select(AccountEvent).where(AccountEvent.user_id == user_id)
    if after is not None:
        query = query.where(col(AccountEvent.id) < after)
    return list(await session.scalars(query.order_by(col(AccountEvent.id).desc()).limit(limit)))


def _where() -> dict[str, Any]:
    here = origin.current()
    return {"request_id": here.request_id, "ip": here.ip, "user_agent": here.user_agent[:400]}
