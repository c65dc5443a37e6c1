"""What documents look like to clients."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from api.levels import AnyLevel, OrgLevel

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class DocumentNew(BaseModel):
    """A new document."""

    model_config = ConfigDict(extra="forbid")
    title: Title
    parent_id: UUID | None = None
    """The document it is to stand below."""
    org_access: OrgLevel | None = None
    """What members of the organization may do with it; what is set there, unless given."""


class DocumentChange(BaseModel):
    """What is to be another way; what is not named stays."""

    model_config = ConfigDict(extra="forbid")
    title: Title | None = None
    parent_id: UUID | None = None
    """The document it is to stand below; null: below none."""


class DocumentRead(BaseModel):
    """A document without its content."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    org_id: UUID
    parent_id: UUID | None
    """The document it stands below."""
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


class Erased(BaseModel):
    """How many documents were deleted for good."""

    erased: int


class PartRead(BaseModel):
    """A piece of an excerpt."""

    model_config = ConfigDict(from_attributes=True)
    text: str
    hit: bool
    """Whether it is what was asked for."""


class HitRead(BaseModel):
    """A document with all the words."""

    model_config = ConfigDict(from_attributes=True)
    document_id: UUID
    title: str
    excerpt: list[PartRead]


class Hits(BaseModel):
    """The best ones."""

    items: list[HitRead]


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
