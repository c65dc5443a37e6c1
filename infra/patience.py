"""How long the drivers wait for a store that says nothing, in one place; `DOXIE_STORE_…` in the settings.

A store that is down refuses at once. One whose host, or the way to it, is gone says nothing at all: without limits of
our own the kernel sends again for a quarter of an hour, and keeps an idle connection for ever. A store that is merely
busy, or stopped, keeps its connections, since its kernel answers: what may be waited for then is up to whoever asks.
"""

import socket
from typing import Any, Final

import urllib3
from sqlalchemy import URL, make_url

from infra.settings import get_settings

_PROBES: Final = 3
"""So many go unanswered before an idle connection counts as broken."""
READ_SECONDS: Final = 30
"""So long the object store may take for a piece of an answer: it writes to a disk before it answers."""


def postgres(url: str | URL) -> URL:
    """The URL with the limits of libpq that it does not name itself."""
    silence = get_settings().store_silence_seconds
    limits = {
        "connect_timeout": get_settings().store_connect_seconds,
        "keepalives": 1,
        "keepalives_idle": _interval(silence),
        "keepalives_interval": _interval(silence),
        "keepalives_count": _PROBES,
        "tcp_user_timeout": silence * 1000,  # what was sent and not acknowledged
    }
    named = make_url(url)
    return named.update_query_dict({name: str(limit) for name, limit in limits.items() if name not in named.query})


def redis() -> dict[str, Any]:
    """Options of a client of Redis."""
    silence = get_settings().store_silence_seconds
    probes = {
        socket.TCP_KEEPIDLE: _interval(silence),
        socket.TCP_KEEPINTVL: _interval(silence),
        socket.TCP_KEEPCNT: _PROBES,
        socket.TCP_USER_TIMEOUT: silence * 1000,
    }
    return {"socket_keepalive": True, "socket_keepalive_options": probes}


def s3() -> urllib3.Timeout:
    """For each attempt at a request to the object store."""
    return urllib3.Timeout(connect=get_settings().store_connect_seconds, read=READ_SECONDS)


def _interval(silence: int) -> int:
    return max(1, silence // (_PROBES + 1))
