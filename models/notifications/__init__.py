"""What people are told: once each, kept until it is read."""

from models.notifications import preferences
from models.notifications.preferences import Mailing
from models.notifications.service import (
    CHANNEL,
    MAILED_ANYWAY,
    Kind,
    NotificationNotFound,
    Watching,
    mark_all_read,
    mark_read,
    of,
    set_watching,
    tell,
    tell_watchers,
    unread,
    watching,
)
from models.notifications.tables import DocumentWatch, Notification

__all__ = [
    "CHANNEL",
    "MAILED_ANYWAY",
    "DocumentWatch",
    "Kind",
    "Mailing",
    "Notification",
    "NotificationNotFound",
    "Watching",
    "mark_all_read",
    "mark_read",
    "of",
    "preferences",
    "set_watching",
    "tell",
    "tell_watchers",
    "unread",
    "watching",
]
