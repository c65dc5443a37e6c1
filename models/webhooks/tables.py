"""Webhooks, and what was delivered to them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import OrgOwned, binary, created, key, reference, timestamp


class Event(StrEnum):
    """What can be subscribed to."""

    DOCUMENT_CREATED = "document.created"
    DOCUMENT_ERASED = "document.erased"
    DOCUMENT_TRASHED = "document.trashed"
    REVISION_STORED = "revision.stored"
    EXPORT_SUCCEEDED = "export.succeeded"
    MEMBER_JOINED = "member.joined"


class Webhook(OrgOwned, table=True):
    """An address that is told of some events."""

    __tablename__ = "webhooks"

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    url: str
    events: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    sealed_secret: bytes = binary()
    sealed_old_secret: bytes | None = binary(default=None, nullable=True)
    old_until: datetime | None = timestamp(default=None, nullable=True)
    """So long requests are signed with the old secret as well."""
    failures: int = 0
    """Deliveries in a row that came to nothing."""
    disabled_at: datetime | None = timestamp(default=None, nullable=True)
    created_by: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id"), nullable=False))
    created_at: datetime = created()


class WebhookDelivery(OrgOwned, table=True):
    """One event on its way to one webhook."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "webhook_id"], ["webhooks.org_id", "webhooks.id"], ondelete="CASCADE"),
        UniqueConstraint("org_id", "webhook_id", "event_key"),
        Index("ix_webhook_deliveries_webhook", "org_id", "webhook_id", "id"),
        CheckConstraint("state IN ('pending', 'succeeded', 'failed')", name="state"),
    )

    id: UUID = key()
    webhook_id: UUID = reference()
    event_key: str
    """Names what happened: published again, it is not delivered twice."""
    event: str
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    state: str = "pending"
    attempts: int = 0
    status: int | None = None
    """The HTTP status of the newest answer."""
    error: str | None = Field(default=None, sa_type=Text)
    flow_run_id: UUID | None = reference(default=None, nullable=True)
    created_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)
