"""Every table of the domain, so that a migration can be compared with the models."""

from models.audit import tables as audit
from models.auth import tables as auth
from models.backups import tables as backups
from models.base import metadata
from models.documents import tables as documents
from models.exports import tables as exports
from models.idempotency import IdempotencyKey
from models.imports import tables as imports
from models.orgs import tables as orgs
from models.outbox import OutboxEvent
from models.pipeline import tables as pipeline
from models.revisions import tables as revisions

__all__ = [
    "IdempotencyKey",
    "OutboxEvent",
    "audit",
    "auth",
    "backups",
    "documents",
    "exports",
    "imports",
    "metadata",
    "orgs",
    "pipeline",
    "revisions",
]
