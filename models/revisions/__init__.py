"""Revisions and snapshots."""

from models.revisions.keeping import hold, keep_before
from models.revisions.service import (
    Folded,
    NothingToRestore,
    RevisionNotFound,
    SeqNotFound,
    capture,
    fold,
    load_at,
    name,
    newest_stored,
    page,
    quarantine,
    read,
    refold,
    restore,
    settle,
    state_at,
    store_snapshot,
)
from models.revisions.tables import Revision
from models.revisions.verification import Finding, verify

__all__ = [
    "Finding",
    "Folded",
    "NothingToRestore",
    "Revision",
    "RevisionNotFound",
    "SeqNotFound",
    "capture",
    "fold",
    "hold",
    "keep_before",
    "load_at",
    "name",
    "newest_stored",
    "page",
    "quarantine",
    "read",
    "refold",
    "restore",
    "settle",
    "state_at",
    "store_snapshot",
    "verify",
]
