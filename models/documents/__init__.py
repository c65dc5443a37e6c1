"""Documents and their journal."""

from models.documents import crdt, history, journal, segments, state
from models.documents.crdt import MalformedUpdate, UpdateTooLarge
from models.documents.history import HistoryUnavailable
from models.documents.journal import DocumentFull, DocumentGone, Edit
from models.documents.service import (
    DocumentChanged,
    DocumentView,
    create,
    edit,
    enter,
    may_write,
    page,
    recover,
    rename,
    trash,
)
from models.documents.state import Loaded, StateUnavailable, load

__all__ = [
    "DocumentChanged",
    "DocumentFull",
    "DocumentGone",
    "DocumentView",
    "Edit",
    "HistoryUnavailable",
    "Loaded",
    "MalformedUpdate",
    "StateUnavailable",
    "UpdateTooLarge",
    "crdt",
    "create",
    "edit",
    "enter",
    "history",
    "journal",
    "load",
    "may_write",
    "page",
    "recover",
    "rename",
    "segments",
    "state",
    "trash",
]
