"""What notifications look like to clients."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from models.notifications import Watching


class NotificationRead(BaseModel):
    """Something one is told."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    org_id: UUID
    kind: str
    document_id: UUID | None
    actor_id: UUID | None
    """Who did it, if it was one person."""
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


class Notifications(BaseModel):
    """A page of them, newest first."""

    items: list[NotificationRead]
    next_cursor: str | None


class WatchWrite(BaseModel):
    """How much one wants to hear of a document."""

    model_config = ConfigDict(extra="forbid")
    state: Watching


class WatchRead(BaseModel):
    """The same."""

    state: Literal["watch", "mute", "default"]
