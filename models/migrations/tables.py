"""Every table of the domain, so that a migration can be compared with the models."""

from models.audit import tables as audit
from models.auth import tables as auth
from models.backups import tables as backups
from models.base import metadata
from models.digests import tables as digests
from models.documents import tables as documents
from models.exports import tables as exports
from models.factors import tables as factors
from models.federation import tables as federation
from models.idempotency import IdempotencyKey
from models.imports import tables as imports
from models.mail import tables as mail
from models.notifications import tables as notifications
from models.orgs import tables as orgs
from models.outbox import OutboxEvent
from models.people import tables as people
from models.pipeline import tables as pipeline
from models.revisions import tables as revisions
from models.sharing import tables as sharing
from models.webhooks import tables as webhooks

__all__ = [
    "IdempotencyKey",
    "OutboxEvent",
    "audit",
    "auth",
    "backups",
    "digests",
    "documents",
    "exports",
    "factors",
    "federation",
    "imports",
    "mail",
    "metadata",
    "notifications",
    "orgs",
    "people",
    "pipeline",
    "revisions",
    "sharing",
    "webhooks",
]
