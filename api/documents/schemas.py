"""What documents look like to clients."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from api.levels import AnyLevel, OrgLevel

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class DocumentWrite(BaseModel):
    """A title."""

    model_config = ConfigDict(extra="forbid")
    title: Title


class DocumentCreate(DocumentWrite):
    """A new document."""

    org_access: OrgLevel | None = None
    """What members of the organization may do with it; what is set there, unless given."""


class DocumentRead(BaseModel):
    """A document without its content."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    org_id: UUID
    title: str
    seq: int
    """How many updates its journal has."""
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None = None
    org_access: OrgLevel
    """What members of the organization may do with it who are granted nothing else."""
    level: AnyLevel
    """What you may do with it."""


class Documents(BaseModel):
    """A page of them."""

    items: list[DocumentRead]
    next_cursor: str | None


class Saved(BaseModel):
    """An edit is in the journal."""

    seq: int


class CollabToken(BaseModel):
    """What an editor needs to connect."""

    token: str
    url: str
    expires_in: int
    """Seconds in which to connect; an open socket stays open."""
    access: Literal["read", "write"]
