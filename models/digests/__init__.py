"""Notifications by mail: what somebody has not read, in one letter, and the way to get no more of them."""

from models.digests.service import due, forget, send_daily, send_soon
from models.digests.tables import Digest
from models.digests.unsubscribing import NoSuchLink, link, unsubscribe, whose

__all__ = ["Digest", "NoSuchLink", "due", "forget", "link", "send_daily", "send_soon", "unsubscribe", "whose"]
