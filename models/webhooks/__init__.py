"""Telling other programs: signed requests to addresses that an organization names."""

from models.webhooks.deliveries import Due, due, failed, publish, redeliver, succeeded
from models.webhooks.service import (
    BadAddress,
    DeliveryNotFound,
    WebhookNotFound,
    change,
    create,
    delete,
    deliveries,
    of,
    rotate,
)
from models.webhooks.signing import signed_headers
from models.webhooks.tables import Event, Webhook, WebhookDelivery

__all__ = [
    "BadAddress",
    "DeliveryNotFound",
    "Due",
    "Event",
    "Webhook",
    "WebhookDelivery",
    "WebhookNotFound",
    "change",
    "create",
    "delete",
    "deliveries",
    "due",
    "failed",
    "of",
    "publish",
    "redeliver",
    "rotate",
    "signed_headers",
    "succeeded",
]
