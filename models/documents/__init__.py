"""Documents and their journal."""

from models.documents import crdt, history, journal, segments, state
from models.documents.crdt import MalformedUpdate, UpdateTooLarge
from models.documents.erasing import NotInTrash, empty_trash, erase
from models.documents.history import HistoryUnavailable
from models.documents.journal import DocumentFull, DocumentGone, Edit
from models.documents.search import Hit, search
from models.documents.service import (
    DocumentChanged,
    DocumentView,
    approach,
    create,
    edit,
    edit_by,
    enter,
    enter_each,
    may_write,
    move,
    page,
    recover,
    rename,
    trash,
    visit,
)
from models.documents.state import Loaded, StateUnavailable, load
from models.documents.tree import ElsewhereBelow, NotBelowItself
from models.documents.usage import OrganizationFull, Usage, count, fullness, require_room, usage
from models.yjs import updates

__all__ = [
    "DocumentChanged",
    "DocumentFull",
    "DocumentGone",
    "DocumentView",
    "Edit",
    "ElsewhereBelow",
    "HistoryUnavailable",
    "Hit",
    "Loaded",
    "MalformedUpdate",
    "NotBelowItself",
    "NotInTrash",
    "OrganizationFull",
    "StateUnavailable",
    "UpdateTooLarge",
    "Usage",
    "approach",
    "count",
    "crdt",
    "create",
    "edit",
    "edit_by",
    "empty_trash",
    "enter",
    "enter_each",
    "erase",
    "fullness",
    "history",
    "journal",
    "load",
    "may_write",
    "move",
    "page",
    "recover",
    "rename",
    "require_room",
    "search",
    "segments",
    "state",
    "trash",
    "updates",
    "usage",
    "visit",
]
