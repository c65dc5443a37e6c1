"""What grants, links and requests for access look like to clients."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, SecretStr, StringConstraints

from api.levels import GrantedLevel, LinkLevel, OrgLevel
from models.auth import User
from models.orgs import Level
from models.sharing import AccessRequest, Kind, ShareLink

Password = Annotated[SecretStr, Field(min_length=4, max_length=1024)]


class LevelWrite(BaseModel):
    """How much somebody may do."""

    model_config = ConfigDict(extra="forbid")
    level: GrantedLevel


class AddressWrite(LevelWrite):
    """How much whoever has an address may do."""

    email: EmailStr


class OrgAccessWrite(BaseModel):
    """How much members of the organization may do who are granted nothing else."""

    model_config = ConfigDict(extra="forbid")
    org_access: OrgLevel


class GrantRead(BaseModel):
    """A grant, and who has it."""

    model_config = ConfigDict(from_attributes=True)
    kind: Kind
    id: UUID
    """Of the user, the group or the invitation."""
    name: str
    level: GrantedLevel
    created_at: datetime


class Grants(BaseModel):
    """All on one document."""

    items: list[GrantRead]
    next_cursor: str | None = None


class LinkWrite(BaseModel):
    """A new link."""

    model_config = ConfigDict(extra="forbid")
    level: LinkLevel = Level.READ
    expires_at: AwareDatetime | None = None
    password: Password | None = None


class LinkChange(BaseModel):
    """What to change of a link; what is not given stays, and null takes it away."""

    model_config = ConfigDict(extra="forbid")
    level: LinkLevel | None = None
    expires_at: AwareDatetime | None = None
    password: Password | None = None


class LinkRead(BaseModel):
    """A link."""

    id: UUID
    level: LinkLevel
    has_password: bool
    expires_at: datetime | None
    created_at: datetime
    created_by: UUID
    opened_at: datetime | None
    """When it was opened last."""
    token: str | None = None
    """Only in the answer to creating it."""
    url: str | None = None

    @classmethod
    def of(cls, link: ShareLink, token: str | None = None, url: str | None = None) -> "LinkRead":
        """From a row."""
        return cls(
            id=link.id,
            level=Level(link.level),
            has_password=link.password_hash is not None,
            expires_at=link.expires_at,
            created_at=link.created_at,
            created_by=link.created_by,
            opened_at=link.opened_at,
            token=token,
            url=url,
        )


class Links(BaseModel):
    """All to one document that are not revoked."""

    items: list[LinkRead]
    next_cursor: str | None = None


class OpenWrite(BaseModel):
    """The token of a link, and its password if it has one."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=500)]
    password: Annotated[SecretStr, Field(max_length=1024)] | None = None


class Opened(BaseModel):
    """A link is open: the token is the bearer token of `/shared`."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 (the name of a scheme)
    expires_in: int
    """Seconds; then the link is to be opened again."""
    level: LinkLevel


class SharedDocument(BaseModel):
    """A document as somebody with a link sees it."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    title: str
    seq: int
    updated_at: datetime
    level: LinkLevel


class RequestWrite(BaseModel):
    """What one would like to do."""

    model_config = ConfigDict(extra="forbid")
    level: GrantedLevel = Level.READ
    message: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class Asked(BaseModel):
    """Whoever manages the document has been asked, if there is one: this answer does not tell."""


class Approval(BaseModel):
    """What to grant; what was asked for, unless given."""

    model_config = ConfigDict(extra="forbid")
    level: GrantedLevel | None = None


class RequestRead(BaseModel):
    """Somebody waits for access."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    level: GrantedLevel
    message: str
    created_at: datetime

    @classmethod
    def of(cls, request: AccessRequest, user: User) -> "RequestRead":
        """From rows."""
        return cls(
            id=request.id,
            user_id=user.id,
            name=user.name,
            email=user.email,
            level=Level(request.level),
            message=request.message,
            created_at=request.created_at,
        )


class Requests(BaseModel):
    """All that wait."""

    items: list[RequestRead]
    next_cursor: str | None = None


class Decided(BaseModel):
    """What became of a request."""

    id: UUID
    state: str
    level: GrantedLevel

    @classmethod
    def of(cls, request: AccessRequest) -> "Decided":
        """From a row."""
        return cls(id=request.id, state=request.state, level=Level(request.level))
