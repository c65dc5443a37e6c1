"""What invitations look like to clients."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr, Field

from models.orgs import Invitation, Role


class _Lasting(BaseModel):
    """For how long."""

    model_config = ConfigDict(extra="forbid")
    expires_in: Annotated[int, Field(ge=60, le=90 * 24 * 3600)] = 7 * 24 * 3600
    """Seconds."""

    @property
    def lifetime(self) -> timedelta:
        return timedelta(seconds=self.expires_in)


class InvitationWrite(_Lasting):
    """Whom to invite as what."""

    email: EmailStr
    role: Role = Role.MEMBER


class InvitationLinkWrite(_Lasting):
    """As what to invite how many."""

    role: Role = Role.MEMBER
    max_uses: Annotated[int, Field(ge=1, le=1000)] = 1


class InvitationRead(BaseModel):
    """An invitation that is open."""

    id: UUID
    email: str | None
    """None: for whoever has the token."""
    role: Role
    max_uses: int
    uses: int
    created_at: datetime
    expires_at: datetime
    token: str | None = None
    """Only in the answer to creating it and sending it again."""

    @classmethod
    def of(cls, invitation: Invitation, token: str | None = None) -> "InvitationRead":
        """From a row."""
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=Role(invitation.role),
            max_uses=invitation.max_uses,
            uses=invitation.uses,
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
    token: Annotated[str, Field(max_length=500)]
