"""`/orgs/{org_id}/webhooks`: addresses that are told of events."""

from uuid import UUID

from api.deps import CurrentPage, CurrentRuntime, Scope, Session, only_reads
from api.routing import v1
from api.webhooks.schemas import Deliveries, DeliveryRead, WebhookChange, WebhookRead, Webhooks, WebhookWrite
from models import webhooks

router = v1("/orgs/{org_id}/webhooks", tags=["webhooks"])


@router.post("", status_code=201)
async def create(body: WebhookWrite, session: Session, scope: Scope, runtime: CurrentRuntime) -> WebhookRead:
    """Have an address told of events; its secret is shown this once."""
    return WebhookRead.of(*await webhooks.create(session, scope, runtime.settings, url=body.url, events=body.events))


@router.get("")
@only_reads
async def page(session: Session, scope: Scope) -> Webhooks:
    """All there are."""
    return Webhooks(items=[WebhookRead.of(item) for item in await webhooks.of(session, scope)])


@router.patch("/{webhook_id}")
async def change(
    webhook_id: UUID, body: WebhookChange, session: Session, scope: Scope, runtime: CurrentRuntime
) -> WebhookRead:
    """Change one, or enable one again that was found dead."""
    changes = body.model_dump(exclude_none=True)
    return WebhookRead.of(await webhooks.change(session, scope, runtime.settings, webhook_id, **changes))


@router.post("/{webhook_id}/rotate-secret")
async def rotate(webhook_id: UUID, session: Session, scope: Scope, runtime: CurrentRuntime) -> WebhookRead:
    """Another secret, shown this once; for a day both sign."""
    return WebhookRead.of(*await webhooks.rotate(session, scope, runtime.settings, webhook_id))


@router.delete("/{webhook_id}", status_code=204)
async def delete(webhook_id: UUID, session: Session, scope: Scope) -> None:
    """Tell the address nothing more."""
    await webhooks.delete(session, scope, webhook_id)


@router.get("/{webhook_id}/deliveries")
@only_reads
async def deliveries(webhook_id: UUID, session: Session, scope: Scope, page: CurrentPage) -> Deliveries:
    """What was delivered, newest first."""
    found = await webhooks.deliveries(session, scope, webhook_id, after=page.after, limit=page.limit + 1)
    items = [DeliveryRead.model_validate(item) for item in found[: page.limit]]
    return Deliveries(items=items, next_cursor=str(items[-1].id) if len(found) > page.limit else None)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
async def redeliver(webhook_id: UUID, delivery_id: UUID, session: Session, scope: Scope) -> DeliveryRead:
    """Send one again; to a webhook that is disabled once it is enabled."""
    return DeliveryRead.model_validate(await webhooks.redeliver(session, scope, webhook_id, delivery_id))
