"""Notifications, and which documents somebody wants to hear of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import OrgOwned, created, document_key, key, reference, timestamp


class Notification(OrgOwned, table=True):
    """Something one person is told."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("org_id", "user_id", "event"),
        document_key(),
        Index("ix_notifications_user", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", "id", postgresql_where=text("read_at IS NULL")),
    )

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    user_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False))
    event: str
    """Names what happened: told again, it is not told twice."""
    kind: str
    document_id: UUID | None = reference(nullable=True)
    actor_id: UUID | None = reference(nullable=True)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    created_at: datetime = created()
    read_at: datetime | None = timestamp(default=None, nullable=True)
    mailed_at: datetime | None = timestamp(default=None, nullable=True)


class MailPreference(SQLModel, table=True):
    """How somebody gets notifications by mail. Without a row: as by default."""

    __tablename__ = "mail_preferences"
    __table_args__ = (CheckConstraint("mailing IN ('immediate', 'daily', 'off')", name="mailing"),)

    user_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    mailing: str


class OrgMailPreference(OrgOwned, table=True):
    """How somebody gets those of one organization, unless they get none at all."""

    __tablename__ = "org_mail_preferences"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "user_id"], ["memberships.org_id", "memberships.user_id"], ondelete="CASCADE"),
        CheckConstraint("mailing IN ('immediate', 'daily', 'off')", name="mailing"),
    )

    user_id: UUID = reference(primary_key=True)
    mailing: str


class DocumentWatch(OrgOwned, table=True):
    """Whether somebody wants to hear of a document's changes. Without a row: who created it does."""

    __tablename__ = "document_watches"
    __table_args__ = (
        document_key(),
        ForeignKeyConstraint(["org_id", "user_id"], ["memberships.org_id", "memberships.user_id"], ondelete="CASCADE"),
        CheckConstraint("state IN ('watch', 'mute')", name="state"),
    )

    document_id: UUID = reference(primary_key=True)
    user_id: UUID = reference(primary_key=True)
    state: str
