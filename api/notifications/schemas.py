"""What notifications look like to clients."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from models.notifications import Mailing, Watching


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


class MailingWrite(BaseModel):
    """How notifications come by mail: at once, once a day, or not."""

    model_config = ConfigDict(extra="forbid")
    mailing: Mailing


class OrgMailingWrite(BaseModel):
    """The same for one organization."""

    model_config = ConfigDict(extra="forbid")
    mailing: Literal["immediate", "daily", "off", "default"]


class MailingRead(BaseModel):
    """How they come, and of which organizations otherwise."""

    mailing: Mailing
    organizations: dict[UUID, Mailing]


class WatchWrite(BaseModel):
    """How much one wants to hear of a document."""

    model_config = ConfigDict(extra="forbid")
    state: Watching


class WatchRead(BaseModel):
    """The same."""

    state: Literal["watch", "mute", "default"]
