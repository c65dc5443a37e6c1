"""An event on its way: published with what caused it, delivered by a flow, once per webhook."""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock, sealing
from infra.settings import Settings
from models import outbox
from models.orgs import OrgScope, Permission
from models.webhooks.service import PURPOSE, DeliveryNotFound
from models.webhooks.tables import Event, Webhook, WebhookDelivery

DEAD_AFTER: Final = 10
"""After so many deliveries in a row that came to nothing a webhook is disabled."""

_PUBLISH = text("""
    INSERT INTO webhook_deliveries (org_id, id, webhook_id, event_key, event, payload, state, attempts, created_at)
    SELECT org_id, uuidv7(), id, :event_key, :event, :payload, 'pending', 0, now()
    FROM webhooks WHERE org_id = :org_id AND disabled_at IS NULL AND :event = ANY(events)
    ON CONFLICT (org_id, webhook_id, event_key) DO NOTHING
    RETURNING id
""").bindparams(
    bindparam("org_id", type_=Uuid),
    bindparam("event", type_=Text),
    bindparam("event_key", type_=Text),
    bindparam("payload", type_=JSONB),
)


@dataclass(frozen=True, slots=True)
class Due:
    """What to send where, and the secrets to sign it with."""

    delivery: WebhookDelivery
    url: str
    secrets: list[bytes]

    @property
    def body(self) -> bytes:
        """The request's body, the same for every attempt."""
        delivery = self.delivery
        content = {"type": delivery.event, "timestamp": delivery.created_at.isoformat(), "data": delivery.payload}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


async def publish(session: AsyncSession, org_id: UUID, event: Event, event_key: str, **payload: Any) -> None:
    """Let every webhook of the organization that wants to know of such events know of this one."""
    named = {"org_id": org_id, "event": event, "event_key": event_key, "payload": {"org_id": str(org_id), **payload}}
    ids = list(await session.scalars(_PUBLISH, named))
    if ids:
        await outbox.emit(session, outbox.WEBHOOK_DUE, [(org_id, delivery_id) for delivery_id in ids])


async def due(session: AsyncSession, settings: Settings, org_id: UUID, delivery_id: UUID) -> Due | None:
    """A delivery that is still to be made; None where there is none, or its webhook is disabled."""
    delivery = await session.get(WebhookDelivery, (org_id, delivery_id))
    webhook = await session.get(Webhook, (org_id, delivery.webhook_id)) if delivery else None
    if delivery is None or webhook is None or delivery.state != "pending" or webhook.disabled_at is not None:
        return None
    sealed = [webhook.sealed_secret]
    if webhook.sealed_old_secret is not None and webhook.old_until is not None and webhook.old_until > clock.now():
        sealed.append(webhook.sealed_old_secret)
    secrets = [sealing.unseal(settings, PURPOSE, item, place=webhook.id.bytes) for item in sealed]
    return Due(delivery, webhook.url, secrets)


async def succeeded(
    session: AsyncSession, org_id: UUID, delivery_id: UUID, *, status: int, flow_run_id: UUID | None
) -> None:
    """It has arrived."""
    delivery, webhook = await _found(session, org_id, delivery_id)
    delivery.state, delivery.status, delivery.error, delivery.finished_at = "succeeded", status, None, clock.now()
    delivery.attempts += 1
    delivery.flow_run_id = flow_run_id
    webhook.failures = 0
    await session.flush()


async def failed(
    session: AsyncSession,
    org_id: UUID,
    delivery_id: UUID,
    *,
    status: int | None,
    error: str,
    is_over: bool,
    flow_run_id: UUID | None,
) -> bool:
    """It has not arrived; whether its webhook is disabled now, being dead."""
    delivery, webhook = await _found(session, org_id, delivery_id)
    delivery.attempts += 1
    delivery.status, delivery.error, delivery.flow_run_id = status, error[:2000], flow_run_id
    died = False
    if is_over:
        delivery.state, delivery.finished_at = "failed", clock.now()
        webhook.failures += 1
        died = webhook.failures >= DEAD_AFTER and webhook.disabled_at is None
        if died:
            webhook.disabled_at = clock.now()
    await session.flush()
    return died


async def redeliver(session: AsyncSession, scope: OrgScope, webhook_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Send it once more, whatever became of it; while its webhook is disabled it waits for that to end.

    Raises:
        DeliveryNotFound: there is none such.
    """
    scope.require(Permission.WEBHOOK_MANAGE)
    delivery = await session.get(WebhookDelivery, (scope.org_id, delivery_id), with_for_update=True)
    if delivery is None or delivery.webhook_id != webhook_id:
        raise DeliveryNotFound()
    delivery.state, delivery.attempts, delivery.finished_at = "pending", 0, None
    await session.flush()
    await outbox.emit(session, outbox.WEBHOOK_DUE, [(scope.org_id, delivery.id)])
    return delivery


async def _found(session: AsyncSession, org_id: UUID, delivery_id: UUID) -> tuple[WebhookDelivery, Webhook]:
    delivery = await session.get(WebhookDelivery, (org_id, delivery_id), with_for_update=True)
    assert delivery is not None, "it was due a moment ago"
    webhook = await session.get(Webhook, (org_id, delivery.webhook_id), with_for_update=True)
    assert webhook is not None, "a delivery refers to its webhook"
    return delivery, webhook
