"""Naming addresses to tell, changing them, and looking at what became of deliveries."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock, outgoing, sealing
from infra.settings import Settings
from models import audit, outbox
from models.audit import Act
from models.errors import Invalid, NotFound
from models.orgs import OrgScope, Permission
from models.webhooks import signing
from models.webhooks.tables import Event, Webhook, WebhookDelivery

PURPOSE = "webhook"
OLD_SECRET_LIVES = timedelta(hours=24)


class WebhookNotFound(NotFound):
    """There is no such webhook."""


class DeliveryNotFound(NotFound):
    """There is no such delivery."""


class BadAddress(Invalid):
    """Nothing can be sent to this address."""


async def create(
    session: AsyncSession, scope: OrgScope, settings: Settings, *, url: str, events: Sequence[Event]
) -> tuple[Webhook, str]:
    """A new webhook, and its secret, which is shown this once.

    Raises:
        BadAddress: it is no address on the public web.
    """
    scope.require(Permission.WEBHOOK_MANAGE)
    _check(settings, url)
    secret = secrets.token_bytes(32)
    webhook = Webhook(org_id=scope.org_id, url=url, events=list(events), created_by=scope.actor.user_id)
    webhook.sealed_secret = sealing.seal(settings, PURPOSE, secret, place=webhook.id.bytes)
    session.add(webhook)
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.WEBHOOK_CREATED, webhook.id, url=url)
    return webhook, signing.shown(secret)


async def of(session: AsyncSession, scope: OrgScope) -> list[Webhook]:
    """The webhooks of the organization, newest first."""
    scope.require(Permission.WEBHOOK_MANAGE)
    query = select(Webhook).where(Webhook.org_id == scope.org_id).order_by(col(Webhook.id).desc())
    return list(await session.scalars(query))


async def change(
    session: AsyncSession,
    scope: OrgScope,
    settings: Settings,
    webhook_id: UUID,
    *,
    url: str | None = None,
    events: Sequence[Event] | None = None,
    enabled: bool | None = None,
) -> Webhook:
    """Change what is given. Enabling it forgets its failures, and sends what has waited for it.

    Raises:
        BadAddress: it is no address on the public web.
    """
    webhook = await _locked(session, scope, webhook_id)
    if url is not None:
        _check(settings, url)
        webhook.url = url
    if events is not None:
        webhook.events = list(events)
    if enabled and webhook.disabled_at is not None:
        await _send_waiting(session, webhook)
    if enabled is not None:
        webhook.disabled_at, webhook.failures = (None, 0) if enabled else (clock.now(), webhook.failures)
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.WEBHOOK_CHANGED, webhook.id, url=webhook.url)
    return webhook


async def rotate(session: AsyncSession, scope: OrgScope, settings: Settings, webhook_id: UUID) -> tuple[Webhook, str]:
    """Another secret, shown this once; for a day requests are signed with both."""
    webhook = await _locked(session, scope, webhook_id)
    secret = secrets.token_bytes(32)
    webhook.sealed_old_secret, webhook.old_until = webhook.sealed_secret, clock.now() + OLD_SECRET_LIVES
    webhook.sealed_secret = sealing.seal(settings, PURPOSE, secret, place=webhook.id.bytes)
    await session.flush()
    await audit.record(
        session, scope.org_id, scope.actor.user_id, Act.WEBHOOK_CHANGED, webhook.id, what="another secret"
    )
    return webhook, signing.shown(secret)


async def delete(session: AsyncSession, scope: OrgScope, webhook_id: UUID) -> None:
    """Tell an address nothing more."""
    webhook = await _locked(session, scope, webhook_id)
    await session.delete(webhook)
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.WEBHOOK_DELETED, webhook_id, url=webhook.url)


async def deliveries(
    session: AsyncSession, scope: OrgScope, webhook_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> list[WebhookDelivery]:
    """What was, or is to be, delivered to a webhook, newest first."""
    await _locked(session, scope, webhook_id)
    query = select(WebhookDelivery).where(
        WebhookDelivery.org_id == scope.org_id, WebhookDelivery.webhook_id == webhook_id
    )
    if after is not None:
        query = query.where(col(WebhookDelivery.id) < after)
    return list(await session.scalars(query.order_by(col(WebhookDelivery.id).desc()).limit(limit)))


async def _send_waiting(session: AsyncSession, webhook: Webhook) -> None:
    """Flows leave alone what is due while a webhook is disabled."""
    mine = (WebhookDelivery.org_id == webhook.org_id, WebhookDelivery.webhook_id == webhook.id)
    waiting = select(WebhookDelivery.id).where(*mine, WebhookDelivery.state == "pending")
    ids = list(await session.scalars(waiting))
    if ids:
        await outbox.emit(session, outbox.WEBHOOK_DUE, [(webhook.org_id, delivery_id) for delivery_id in ids])


async def _locked(session: AsyncSession, scope: OrgScope, webhook_id: UUID) -> Webhook:
    scope.require(Permission.WEBHOOK_MANAGE)
    webhook = await session.get(Webhook, (scope.org_id, webhook_id), with_for_update=True)
    if webhook is None:
        raise WebhookNotFound()
    return webhook


def _check(settings: Settings, url: str) -> None:
    try:
        outgoing.check(url, allow_private=settings.webhooks_to_private)
    except outgoing.Forbidden as error:
        raise BadAddress(f"Nothing can be sent to this address: {error}") from error
