"""What people are told: once each, kept until it is read."""

from models.notifications.service import (
    CHANNEL,
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
    "DocumentWatch",
    "Kind",
    "Notification",
    "NotificationNotFound",
    "Watching",
    "mark_all_read",
    "mark_read",
    "of",
    "set_watching",
    "tell",
    "tell_watchers",
    "unread",
    "watching",
]
