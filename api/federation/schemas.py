"""What providers and linked identities look like to clients."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

LocalPath = Annotated[str, StringConstraints(max_length=2000)]


class ProviderRead(BaseModel):
    """Where one may sign in with an account one has elsewhere."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str


class Providers(BaseModel):
    """All of them."""

    items: list[ProviderRead]
    next_cursor: str | None = None


class Link(BaseModel):
    """Where to come back to: a path on this site."""

    model_config = ConfigDict(extra="forbid")
    return_to: LocalPath = "/"


class LinkBegun(BaseModel):
    """Where to send the browser next."""

    authorization_url: str


class IdentityRead(BaseModel):
    """An account at a provider that signs in here."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    provider: str
    email: str
    """The address there when it was linked."""
    created_at: datetime
    last_used_at: datetime | None


class Identities(BaseModel):
    """All of them."""

    items: list[IdentityRead]
    next_cursor: str | None = None
