"""Organizations, who belongs to them, their groups, and who is invited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlmodel import Field, SQLModel

from models.base import OrgOwned, binary, created, existing, key, reference, timestamp

ROLES = "role IN ('owner', 'admin', 'member', 'guest')"


class Organization(SQLModel, table=True):
    """A tenant."""

    __tablename__ = "organizations"

    id: UUID = key()
    name: str
    created_by: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id"), nullable=False))
    created_at: datetime = created()
    suspended_at: datetime | None = timestamp(default=None, nullable=True)
    """Since when an operator has closed it to everybody."""
    deleted_at: datetime | None = timestamp(default=None, nullable=True)
    """Since when it is deleted: hidden from everybody, restorable for a while, erased afterwards."""
    default_org_access: int = Field(default=3, sa_type=SmallInteger, sa_column_kwargs=existing(3))
    """The level (`scope.Level`) its members have on new documents."""
    members_may_invite: bool = Field(default=False, sa_column_kwargs=existing("false"))
    """Whether members, too, may invite others to be members or guests."""
    members_may_share: bool = Field(default=True, sa_column_kwargs=existing("true"))
    """Whether members, too, may let people from outside see documents they manage: guests, and whoever has a link."""
    invitation_domains: list[str] = Field(default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs=existing("'{}'"))
    """Where given: only addresses of these domains may be invited."""


class Membership(OrgOwned, table=True):
    """Somebody's role in an organization."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint(ROLES, name="role"),)

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    )
    role: str
    created_at: datetime = created()
    suspended_at: datetime | None = timestamp(default=None, nullable=True)
    """Since when they are kept out; everything of theirs is kept meanwhile."""


def _organization() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["org_id"], ["organizations.id"], ondelete="CASCADE")


class Group(OrgOwned, table=True):
    """Some members, who are granted things together."""

    __tablename__ = "groups"
    __table_args__ = (_organization(), UniqueConstraint("org_id", "name"))

    id: UUID = key()
    name: str
    created_at: datetime = created()


class GroupMember(OrgOwned, table=True):
    """Somebody in a group; leaving the organization is leaving its groups."""

    __tablename__ = "group_members"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "group_id"], ["groups.org_id", "groups.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["org_id", "user_id"], ["memberships.org_id", "memberships.user_id"], ondelete="CASCADE"),
        Index("ix_group_members_user", "org_id", "user_id"),
    )

    group_id: UUID = reference(primary_key=True)
    user_id: UUID = reference(primary_key=True)


class OrgQuota(OrgOwned, table=True):
    """What an organization may have at most; NULL: what the settings say. The application can only read it."""

    __tablename__ = "org_quotas"
    __table_args__ = (CheckConstraint("least(members, documents, bytes) >= 0", name="not_negative"),)

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    members: int | None = Field(default=None, sa_type=BigInteger)
    documents: int | None = Field(default=None, sa_type=BigInteger)
    bytes: int | None = Field(default=None, sa_type=BigInteger)


class Invitation(OrgOwned, table=True):
    """An offer to join: to the owner of an address, or, without one, to whoever holds its secret."""

    __tablename__ = "invitations"
    __table_args__ = (CheckConstraint(ROLES, name="role"), CheckConstraint("uses <= max_uses", name="uses"))

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    email: str | None
    role: str
    secret_hash: bytes = binary()
    max_uses: int = Field(default=1, sa_column_kwargs=existing(1))
    uses: int = Field(default=0, sa_column_kwargs=existing(0))
    invited_by: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id"), nullable=False))
    created_at: datetime = created()
    expires_at: datetime = timestamp(nullable=False)
