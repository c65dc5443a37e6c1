"""Revisions and snapshots."""

from models.revisions.comparing import Attribution, Comparison, attribution, difference
from models.revisions.keeping import keep_before
from models.revisions.retention import crowded, policy, set_policy, thin
from models.revisions.service import (
    Folded,
    RevisionNotFound,
    SeqNotFound,
    all_stored,
    capture,
    derive,
    fold,
    fold_from,
    hold,
    load_at,
    name,
    newest_stored,
    page,
    quarantine,
    read,
    refold,
    settle,
    state_at,
    store_snapshot,
)
from models.revisions.tables import RetentionPolicy, Revision
from models.revisions.undoing import NothingToRestore, NothingToUndo, restore, undo
from models.revisions.verification import Finding, verify

__all__ = [
    "Attribution",
    "Comparison",
    "Finding",
    "Folded",
    "NothingToRestore",
    "NothingToUndo",
    "RetentionPolicy",
    "Revision",
    "RevisionNotFound",
    "SeqNotFound",
    "all_stored",
    "attribution",
    "capture",
    "crowded",
    "derive",
    "difference",
    "fold",
    "fold_from",
    "hold",
    "keep_before",
    "load_at",
    "name",
    "newest_stored",
    "page",
    "policy",
    "quarantine",
    "read",
    "refold",
    "restore",
    "set_policy",
    "settle",
    "state_at",
    "store_snapshot",
    "thin",
    "undo",
    "verify",
]
