"""What was done: appended, never changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import OrgOwned, created, key, reference


class AuditEvent(OrgOwned, table=True):
    """A security-relevant act in an organization."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_action", "org_id", "action", "id"),)

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    actor_id: UUID | None = reference(nullable=True)
    """Who did it; no foreign key, since the log outlives the account."""
    action: str
    target_id: UUID | None = reference(nullable=True)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    request_id: str = ""
    ip: str = ""
    user_agent: str = ""
    created_at: datetime = created()


class AccountEvent(SQLModel, table=True):
    """A security-relevant act of or on an account, whatever its organizations."""

    __tablename__ = "account_events"
    __table_args__ = (Index("ix_account_events_user", "user_id", "id"),)

    id: UUID = key()
    user_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False))
    action: str
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    request_id: str = ""
    ip: str = ""
    user_agent: str = ""
    created_at: datetime = created()
