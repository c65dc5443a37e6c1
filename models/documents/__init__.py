"""Documents and their journal."""

from models.documents import crdt, journal, state
from models.documents.crdt import MalformedUpdate, UpdateTooLarge
from models.documents.journal import DocumentFull, DocumentGone, Edit
from models.documents.service import (
    DocumentChanged,
    DocumentView,
    approach,
    create,
    edit,
    enter,
    may_write,
    page,
    recover,
    rename,
    trash,
    visit,
)
from models.documents.state import Loaded, StateUnavailable, load

__all__ = [
    "DocumentChanged",
    "DocumentFull",
    "DocumentGone",
    "DocumentView",
    "Edit",
    "Loaded",
    "MalformedUpdate",
    "StateUnavailable",
    "UpdateTooLarge",
    "approach",
    "crdt",
    "create",
    "edit",
    "enter",
    "journal",
    "load",
    "may_write",
    "page",
    "recover",
    "rename",
    "state",
    "trash",
    "visit",
]
