"""Links that open a document to whoever has them, and wishes for access."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, Text, Uuid, text
from sqlmodel import Field

from models.base import OrgOwned, binary, created, document_key, key, reference, timestamp


class ShareLink(OrgOwned, table=True):
    """A way to a document for people without an account."""

    __tablename__ = "share_links"
    __table_args__ = (
        document_key(),
        Index("ix_share_links_document", "org_id", "document_id"),
        Index("ix_share_links_id", "id"),
        CheckConstraint("level BETWEEN 1 AND 3", name="level"),
    )

    id: UUID = key()
    document_id: UUID = reference()
    secret_hash: bytes = binary()
    level: int = Field(sa_type=SmallInteger)
    password_hash: str | None = None
    epoch: int = 1
    """Raised with every other password: what was opened before has to be opened again."""
    created_by: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id"), nullable=False))
    created_at: datetime = created()
    expires_at: datetime | None = timestamp(default=None, nullable=True)
    revoked_at: datetime | None = timestamp(default=None, nullable=True)
    opened_at: datetime | None = timestamp(default=None, nullable=True)
    """When it was opened last."""


class AccessRequest(OrgOwned, table=True):
    """Somebody of the organization asks for a level on a document."""

    __tablename__ = "access_requests"
    __table_args__ = (
        document_key(),
        ForeignKeyConstraint(["org_id", "user_id"], ["memberships.org_id", "memberships.user_id"], ondelete="CASCADE"),
        Index(
            "uq_access_requests_pending",
            "org_id",
            "document_id",
            "user_id",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
        CheckConstraint("state IN ('pending', 'approved', 'denied')", name="state"),
        CheckConstraint("level BETWEEN 1 AND 4", name="level"),
    )

    id: UUID = key()
    document_id: UUID = reference()
    user_id: UUID = reference()
    level: int = Field(sa_type=SmallInteger)
    message: str = Field(default="", sa_type=Text)
    state: str = "pending"
    decided_by: UUID | None = reference(nullable=True)
    created_at: datetime = created()
    decided_at: datetime | None = timestamp(default=None, nullable=True)
