"""Organizations, who belongs to them, and who is invited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Uuid
from sqlmodel import Field, SQLModel

from models.base import OrgOwned, binary, created, key, timestamp


class Organization(SQLModel, table=True):
    """A tenant."""

    __tablename__ = "organizations"

    id: UUID = key()
    name: str
    created_by: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id"), nullable=False))
    created_at: datetime = created()


class Membership(OrgOwned, table=True):
    """Somebody's role in an organization."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint("role IN ('owner', 'admin', 'member')", name="role"),)

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    )
    role: str
    created_at: datetime = created()


class Invitation(OrgOwned, table=True):
    """An offer to join, good for whoever holds its secret."""

    __tablename__ = "invitations"
    __table_args__ = (CheckConstraint("role IN ('owner', 'admin', 'member')", name="role"),)

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    email: str
    role: str
    secret_hash: bytes = binary()
    invited_by: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id"), nullable=False))
    created_at: datetime = created()
    expires_at: datetime = timestamp(nullable=False)
    accepted_at: datetime | None = timestamp(default=None, nullable=True)
