"""What noted acts look like to clients."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class AccountEventRead(BaseModel):
    """An act of or on one's own account."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    action: str
    details: dict[str, Any]
    request_id: str
    ip: str
    user_agent: str
    created_at: datetime


class AccountEvents(BaseModel):
    """A page of them, newest first."""

    items: list[AccountEventRead]
    next_cursor: str | None


class AuditEventRead(AccountEventRead):
    """An act in an organization."""

    actor_id: UUID | None
    """Who did it; null for what nobody in particular did."""
    target_id: UUID | None
    """What it was done to."""


class AuditEvents(BaseModel):
    """A page of them, newest first."""

    items: list[AuditEventRead]
    next_cursor: str | None
