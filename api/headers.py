"""The headers every answer carries."""

import math
from typing import Final

from starlette.datastructures import MutableHeaders

from infra.limits import Verdict
from infra.settings import Settings

_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_DATA: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Answers of the API are for whoever asked, and never pages; a route may say otherwise."""
_TLS: Final = {"strict-transport-security": "max-age=63072000; includeSubDomains"}


def complete(headers: MutableHeaders, settings: Settings, path: str, request_id: str, limit: Verdict | None) -> None:
    """Add what is missing."""
    headers["x-request-id"] = request_id
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    if path.startswith("/api/"):
        for name, value in _DATA.items():
            headers.setdefault(name, value)
    if settings.secure_cookies:
        for name, value in _TLS.items():
            headers.setdefault(name, value)
    if limit is not None:
        _tell(headers, limit)


def _tell(headers: MutableHeaders, limit: Verdict) -> None:
    """As the IETF's draft of RateLimit header fields has it."""
    quota = limit.quota
    headers["ratelimit-policy"] = f'"{quota.name}";q={quota.count};w={math.ceil(quota.seconds)}'
    headers["ratelimit"] = f'"{quota.name}";r={limit.remaining};t={math.ceil(limit.full_in)}'
