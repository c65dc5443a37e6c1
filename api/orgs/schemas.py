"""What organizations, members and groups look like to clients."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.auth.schemas import Name
from api.levels import OrgLevel
from models.auth import User
from models.documents import Usage
from models.orgs import GRACE, Group, Level, Membership, Organization, Role

Domain = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, max_length=253, pattern=r"^([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}$"
    ),
]


class OrgWrite(BaseModel):
    """A new organization."""

    model_config = ConfigDict(extra="forbid")
    name: Name


class OrgChange(BaseModel):
    """What to change of an organization; what is not given stays."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    default_org_access: OrgLevel | None = None
    members_may_invite: bool | None = None
    members_may_share: bool | None = None
    invitation_domains: Annotated[list[Domain], Field(max_length=50)] | None = None


class OrgRead(BaseModel):
    """An organization, what is set in it, and what one is in it."""

    id: UUID
    name: str
    role: Role
    created_at: datetime
    default_org_access: OrgLevel
    """What members may do with new documents."""
    members_may_invite: bool
    members_may_share: bool
    """Whether members may let guests and holders of links see the documents they manage."""
    invitation_domains: list[str]
    """Where given: only addresses of these domains can become members."""

    @classmethod
    def of(cls, organization: Organization, role: str) -> "OrgRead":
        """From a row and a role."""
        return cls(
            id=organization.id,
            name=organization.name,
            role=Role(role),
            created_at=organization.created_at,
            default_org_access=Level(organization.default_org_access),
            members_may_invite=organization.members_may_invite,
            members_may_share=organization.members_may_share,
            invitation_domains=organization.invitation_domains,
        )


class Orgs(BaseModel):
    """All of somebody's organizations."""

    items: list[OrgRead]
    next_cursor: str | None = None


class Measured(BaseModel):
    """How much there is of something, and at most."""

    used: int
    limit: int | None
    """Null: there is no limit."""


class UsageRead(BaseModel):
    """What an organization has, and what it may have."""

    members: Measured
    """Who belongs to it, guests and suspended members included."""
    documents: Measured
    """Those in the trash included."""
    bytes: Measured
    """Of all updates of these documents, archived ones included. Deleting documents for good makes room."""

    @classmethod
    def of(cls, usage: Usage) -> "UsageRead":
        """From what was counted."""
        limits = usage.limits
        return cls(
            members=Measured(used=usage.members, limit=limits.members),
            documents=Measured(used=usage.documents, limit=limits.documents),
            bytes=Measured(used=usage.bytes, limit=limits.bytes),
        )


class OrgDelete(BaseModel):
    """The name of the organization, typed again."""

    model_config = ConfigDict(extra="forbid")
    name: str


class DeletedOrg(BaseModel):
    """An organization that is deleted, and until when it can be restored."""

    id: UUID
    name: str
    deleted_at: datetime
    erased_after: datetime

    @classmethod
    def of(cls, organization: Organization) -> "DeletedOrg":
        """From a row."""
        assert organization.deleted_at is not None, "it is deleted"
        deleted_at = organization.deleted_at
        return cls(id=organization.id, name=organization.name, deleted_at=deleted_at, erased_after=deleted_at + GRACE)


class DeletedOrgs(BaseModel):
    """All that one can restore."""

    items: list[DeletedOrg]
    next_cursor: str | None = None


class RoleWrite(BaseModel):
    """A role for a member."""

    model_config = ConfigDict(extra="forbid")
    role: Role


class Transfer(BaseModel):
    """Who is to own the organization."""

    model_config = ConfigDict(extra="forbid")
    user_id: UUID


class MemberRead(BaseModel):
    """A member."""

    user_id: UUID
    name: str
    email: str
    role: Role
    joined_at: datetime
    suspended_at: datetime | None

    @classmethod
    def of(cls, membership: Membership, user: User) -> "MemberRead":
        """From rows."""
        return cls(
            user_id=user.id,
            name=user.name,
            email=user.email,
            role=Role(membership.role),
            joined_at=membership.created_at,
            suspended_at=membership.suspended_at,
        )


class Members(BaseModel):
    """All of them."""

    items: list[MemberRead]
    next_cursor: str | None = None


class MembershipRead(BaseModel):
    """Somebody's role in an organization."""

    org_id: UUID
    user_id: UUID
    role: Role
    suspended_at: datetime | None

    @classmethod
    def of(cls, membership: Membership) -> "MembershipRead":
        """From a row."""
        return cls(
            org_id=membership.org_id,
            user_id=membership.user_id,
            role=Role(membership.role),
            suspended_at=membership.suspended_at,
        )


class GroupWrite(BaseModel):
    """A new group, or a new name for one."""

    model_config = ConfigDict(extra="forbid")
    name: Name


class GroupRead(BaseModel):
    """A group."""

    id: UUID
    name: str
    members: int
    """How many."""
    created_at: datetime

    @classmethod
    def of(cls, group: Group, members: int) -> "GroupRead":
        """From a row and a count."""
        return cls(id=group.id, name=group.name, members=members, created_at=group.created_at)


class Groups(BaseModel):
    """All of them."""

    items: list[GroupRead]
    next_cursor: str | None = None


class GroupMemberRead(BaseModel):
    """Somebody in a group."""

    user_id: UUID
    name: str


class GroupMembers(BaseModel):
    """All of them."""

    items: list[GroupMemberRead]
    next_cursor: str | None = None
