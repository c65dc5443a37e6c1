"""What happens to every request: an id, a log line, a refusal of other sites, headers.

Plain ASGI: Starlette's `BaseHTTPMiddleware` costs a task and a queue per request.
"""

import math
import time
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import cookies, errors
from api.idempotency import SAFE
from infra import clock
from infra.limits import Verdict
from infra.logging import get_logger
from infra.origin import Origin, set_origin
from infra.proxies import client_address
from infra.settings import Settings

log = get_logger(__name__)

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Wraps the app."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = request.state.request_id = str(clock.new_id())
        set_origin(Origin(request_id, self._address(request), request.headers.get("user-agent", "")))
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if (verdict := getattr(request.state, "rate_limit", None)) is not None:
                    _tell_limit(headers, verdict)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                if self._is_foreign(request):
                    detail = "Requests from other sites are refused."
                    response = errors.problem(request, HTTPStatus.FORBIDDEN, detail)
                    await response(scope, receive, send_with_headers)
                else:
                    await self._app(scope, receive, send_with_headers)
            finally:
                milliseconds = round((time.perf_counter() - started) * 1000, 1)
                log.info("request", method=request.method, path=request.url.path, status=status, ms=milliseconds)

    def _address(self, request: Request) -> str:
        peer = request.client.host if request.client else ""
        forwarded, x_forwarded_for = (
            ",".join(request.headers.getlist(name)) or None for name in ("forwarded", "x-forwarded-for")
        )
        return client_address(peer, forwarded, x_forwarded_for, self._settings.trusted_proxies)

    def _is_foreign(self, request: Request) -> bool:
        """Whether a browser sends its credentials here on behalf of another site.

        Programs send neither of the two headers; a browser always sends one of them with an unsafe
        request across sites.
        """
        if request.method in SAFE or "authorization" in request.headers or not cookies.present(request):
            return False
        site = request.headers.get("sec-fetch-site")
        if site in {"same-origin", "none"}:
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return site is not None
        host = request.headers.get("host")
        return origin not in self._settings.allowed_origins and urlsplit(origin).netloc != host


def _tell_limit(headers: MutableHeaders, verdict: Verdict) -> None:
    """As the IETF's draft of RateLimit header fields has it."""
    quota = verdict.quota
    headers["ratelimit-policy"] = f'"{quota.name}";q={quota.count};w={math.ceil(quota.seconds)}'
    headers["ratelimit"] = f'"{quota.name}";r={verdict.remaining};t={math.ceil(verdict.full_in)}'
