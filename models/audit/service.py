"""Noting acts in the transaction that does them, and reading them."""

from dataclasses import dataclass
from datetime import datetime
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

    AUDIT_EXPORTED = "audit.exported"
    BACKUP_REQUESTED = "backup.requested"
    BACKUP_RESTORED = "backup.restored"
    ORG_FOUNDED = "org.founded"
    ORG_RENAMED = "org.renamed"
    ORG_CHANGED = "org.changed"
    ORG_QUOTA_CHANGED = "org.quota_changed"
    ORG_SUSPENDED = "org.suspended"
    ORG_REACTIVATED = "org.reactivated"
    ORG_DELETED = "org.deleted"
    ORG_RESTORED = "org.restored"
    MEMBER_INVITED = "member.invited"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    MEMBER_JOINED = "member.joined"
    INVITATION_RESENT = "invitation.resent"
    MEMBER_REMOVED = "member.removed"
    MEMBER_LEFT = "member.left"
    MEMBER_SUSPENDED = "member.suspended"
    MEMBER_REACTIVATED = "member.reactivated"
    ROLE_CHANGED = "role.changed"
    OWNERSHIP_TRANSFERRED = "ownership.transferred"
    GROUP_CREATED = "group.created"
    GROUP_RENAMED = "group.renamed"
    GROUP_DELETED = "group.deleted"
    GROUP_JOINED = "group.joined"
    GROUP_LEFT = "group.left"
    ACCESS_CHANGED = "access.changed"
    ACCESS_GRANTED = "access.granted"
    ACCESS_REVOKED = "access.revoked"
    ACCESS_REQUESTED = "access.requested"
    ACCESS_DENIED = "access.denied"
    SHARE_LINK_MADE = "share_link.made"
    SHARE_LINK_CHANGED = "share_link.changed"
    SHARE_LINK_REVOKED = "share_link.revoked"
    SHARE_LINK_OPENED = "share_link.opened"
    SHARE_LINK_REFUSED = "share_link.refused"
    DOCUMENT_TRASHED = "document.trashed"
    DOCUMENT_RECOVERED = "document.recovered"
    DOCUMENT_ERASED = "document.erased"
    DOCUMENT_EMPTIED = "document.emptied"
    DOCUMENT_EXPORTED = "document.exported"
    DOCUMENT_RESTORED = "document.restored"
    EDITS_UNDONE = "document.edits_undone"
    DOCUMENTS_IMPORTED = "documents.imported"
    ORG_EXPORTED = "org.exported"
    RETENTION_CHANGED = "retention.changed"
    PIPELINE_REPLAYED = "pipeline.replayed"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_DELETED = "webhook.deleted"


class AccountAct(StrEnum):
    """What is noted of an account, and in each of its organizations as `account.…`."""

    REGISTERED = "account.registered"
    SIGNED_IN = "account.signed_in"
    SIGN_IN_FAILED = "account.sign_in_failed"
    SIGNED_OUT = "account.signed_out"
    SESSION_REVOKED = "account.session_revoked"
    SESSION_DISPLACED = "account.session_displaced"
    REFRESH_REPLAYED = "account.refresh_replayed"
    SESSIONS_REVOKED = "account.sessions_revoked"
    RENAMED = "account.renamed"
    EMAIL_VERIFIED = "account.email_verified"
    EMAIL_CHANGE_REQUESTED = "account.email_change_requested"
    EMAIL_CHANGED = "account.email_changed"
    DELETION_REQUESTED = "account.deletion_requested"
    DELETION_WITHDRAWN = "account.deletion_withdrawn"
    DATA_REQUESTED = "account.data_requested"
    TOKEN_CREATED = "account.token_created"  # noqa: S105 - no password
    TOKEN_DELETED = "account.token_deleted"  # noqa: S105 - no password
    PASSWORD_CHANGED = "account.password_changed"  # noqa: S105 - no password
    PASSWORD_RESET = "account.password_reset"  # noqa: S105 - no password
    SECOND_FACTOR_REFUSED = "account.second_factor_refused"
    REAUTHENTICATED = "account.reauthenticated"
    TOTP_ENABLED = "account.totp_enabled"
    TOTP_DISABLED = "account.totp_disabled"
    RECOVERY_CODES_ISSUED = "account.recovery_codes_issued"
    RECOVERY_CODE_USED = "account.recovery_code_used"
    PASSKEY_ADDED = "account.passkey_added"
    PASSKEY_RENAMED = "account.passkey_renamed"
    PASSKEY_REMOVED = "account.passkey_removed"
    PASSKEY_REFUSED = "account.passkey_refused"
    FACTORS_RESET = "account.factors_reset"
    IDENTITY_LINKED = "account.identity_linked"
    IDENTITY_UNLINKED = "account.identity_unlinked"


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts of an organization are asked for; all that is given must fit."""

    action: str | None = None
    actor_id: UUID | None = None
    target_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Wanted()


async def log(
    session: AsyncSession, org_id: UUID, wanted: Wanted = EVERYTHING, *, after: UUID | None = None, limit: int = 50
) -> list[AuditEvent]:
    """The acts in an organization, newest first, after an id. Who may see them, the caller has asked."""
    fits = {
        col(AuditEvent.action): wanted.action,
        col(AuditEvent.actor_id): wanted.actor_id,
        col(AuditEvent.target_id): wanted.target_id,
    }
    query = select(AuditEvent).where(AuditEvent.org_id == org_id)
    query = query.where(*(column == value for column, value in fits.items() if value is not None))
    if wanted.since is not None:
        query = query.where(col(AuditEvent.created_at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditEvent.created_at) < wanted.until)
    if after is not None:
        query = query.where(col(AuditEvent.id) < after)
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
