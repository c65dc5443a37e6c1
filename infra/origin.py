"""Where what is being done comes from: set once at a door, read wherever it is noted."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """A request, as far as a record of it needs to know."""

    request_id: str = ""
    ip: str = ""
    user_agent: str = ""


_current: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - it cannot be changed


def set_origin(origin: Origin) -> None:
    """What happens from here on, in this task and those it starts, comes from there."""
    _current.set(origin)


def current() -> Origin:
    """Where the running code was called from; empty in what nobody asked for."""
    return _current.get()
