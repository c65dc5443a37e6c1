"""What organizations look like to clients."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr

from api.auth.schemas import Name
from models.orgs import Invitation, Membership, Organization, Role


class OrgWrite(BaseModel):
    """A new organization, or a new name for one."""

    model_config = ConfigDict(extra="forbid")
    name: Name


class OrgRead(BaseModel):
    """An organization and what one is in it."""

    id: UUID
    name: str
    role: Role
    created_at: datetime

    @classmethod
    def of(cls, organization: Organization, role: str) -> "OrgRead":
        """From a row and a role."""
        return cls(id=organization.id, name=organization.name, role=Role(role), created_at=organization.created_at)


class Orgs(BaseModel):
    """All of somebody's organizations."""

    items: list[OrgRead]
    next_cursor: str | None = None


class RoleWrite(BaseModel):
    """A role for a member."""

    model_config = ConfigDict(extra="forbid")
    role: Role


class MemberRead(BaseModel):
    """A member."""

    user_id: UUID
    name: str
    email: str
    role: Role
    joined_at: datetime


class Members(BaseModel):
    """All of them."""

    items: list[MemberRead]
    next_cursor: str | None = None


class MembershipRead(BaseModel):
    """Somebody's role in an organization."""

    org_id: UUID
    user_id: UUID
    role: Role

    @classmethod
    def of(cls, membership: Membership) -> "MembershipRead":
        """From a row."""
        return cls(org_id=membership.org_id, user_id=membership.user_id, role=Role(membership.role))


class InvitationWrite(BaseModel):
    """Whom to invite as what."""

    model_config = ConfigDict(extra="forbid")
    email: EmailStr
    role: Role = Role.MEMBER


class InvitationRead(BaseModel):
    """An invitation that is open."""

    id: UUID
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime
    token: str | None = None
    """Only in the answer to creating it."""

    @classmethod
    def of(cls, invitation: Invitation, token: str | None = None) -> "InvitationRead":
        """From a row."""
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=Role(invitation.role),
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            token=token,
        )


class Invitations(BaseModel):
    """All open ones."""

    items: list[InvitationRead]
    next_cursor: str | None = None


class Accept(BaseModel):
    """The token of an invitation."""

    model_config = ConfigDict(extra="forbid")
    token: str
