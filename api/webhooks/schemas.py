"""What webhooks look like to clients."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.webhooks import Event, Webhook

Events = Annotated[list[Event], Field(min_length=1, max_length=20)]
Address = Annotated[str, StringConstraints(max_length=2000)]


class WebhookWrite(BaseModel):
    """An address to tell of events."""

    model_config = ConfigDict(extra="forbid")
    url: Address
    events: Events


class WebhookChange(BaseModel):
    """What to change; what is not given stays."""

    model_config = ConfigDict(extra="forbid")
    url: Address | None = None
    events: Events | None = None
    enabled: bool | None = None


class WebhookRead(BaseModel):
    """An address that is told of events."""

    id: UUID
    url: str
    events: list[str]
    enabled: bool
    failures: int
    """Deliveries in a row that came to nothing; after ten it is disabled."""
    created_at: datetime
    secret: str | None = None
    """To check signatures with, as Standard Webhooks has them; only in the answer that made it."""

    @classmethod
    def of(cls, webhook: Webhook, secret: str | None = None) -> "WebhookRead":
        """From a row."""
        enabled = webhook.disabled_at is None
        return cls.model_validate(webhook.model_dump() | {"enabled": enabled, "secret": secret})


class Webhooks(BaseModel):
    """All of an organization."""

    items: list[WebhookRead]
    next_cursor: str | None = None


class DeliveryRead(BaseModel):
    """An event on its way to a webhook."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    event: str
    payload: dict[str, Any]
    state: Literal["pending", "succeeded", "failed"]
    attempts: int
    status: int | None
    error: str | None
    flow_run_id: UUID | None
    created_at: datetime
    finished_at: datetime | None


class Deliveries(BaseModel):
    """A page of them, newest first."""

    items: list[DeliveryRead]
    next_cursor: str | None
