"""Time and identifiers."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def now() -> datetime:
    """The current time, timezone-aware, UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A fresh UUIDv7: ordered by the time it was made."""
    return uuid7()
