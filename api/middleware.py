"""What happens to every request: an id, a log line, refusals before anything is done, headers.

Plain ASGI: Starlette's `BaseHTTPMiddleware` costs a task and a queue per request.
"""

import time
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import cookies, draining, errors, headers
from api.idempotency import SAFE
from api.metrics import Requests, route_of
from infra import clock, tracing
from infra.logging import get_logger
from infra.origin import Origin, set_origin
from infra.proxies import client_address
from infra.settings import Settings
from models.errors import TooLarge

log = get_logger(__name__)

SIMPLE: Final = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""What a page of another site can send without asking first."""


class Guard:
    """Wraps the app."""

    def __init__(self, app: ASGIApp, settings: Settings, requests: Requests) -> None:
        self._app = app
        self._settings = settings
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = request.state.request_id = str(clock.new_id())
        set_origin(Origin(request_id, self._address(request), request.headers.get("user-agent", "")))
        started = time.perf_counter()
        status = 0
        self._requests.under_way += 1

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                limit = getattr(request.state, "rate_limit", None)
                answered = MutableHeaders(scope=message)
                headers.complete(answered, self._settings, request.url.path, request_id, limit)
                if draining.begun():
                    answered["connection"] = "close"
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            tracing.span(request.method, parent=request.headers.get("traceparent", ""), kind="server") as span,
        ):
            try:
                if (refusal := self._refusal(request)) is not None:
                    await refusal(scope, receive, send_with_headers)
                else:
                    await self._app(scope, _limited(receive, self._most(request)), send_with_headers)
            except Exception as error:
                if status:
                    raise
                # Starlette's own handler stands outside of this one, and its answers lack the headers.
                await (await errors.unexpected(request, error))(scope, receive, send_with_headers)
            finally:
                seconds = time.perf_counter() - started
                self._requests.under_way -= 1
                self._requests.note(scope, int(status), seconds)
                span.note(name=f"{request.method} {route_of(scope)}", status=int(status), request_id=request_id)
                milliseconds = round(seconds * 1000, 1)
                log.info("request", method=request.method, path=request.url.path, status=status, ms=milliseconds)

    def _address(self, request: Request) -> str:
        peer = request.client.host if request.client else ""
        forwarded, x_forwarded_for = (
            ",".join(request.headers.getlist(name)) or None for name in ("forwarded", "x-forwarded-for")
        )
        return client_address(peer, forwarded, x_forwarded_for, self._settings.trusted_proxies)

    def _refusal(self, request: Request) -> Response | None:
        if int(request.headers.get("content-length") or 0) > (most := self._most(request)):
            return errors.problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(most))
        if request.method in SAFE or "authorization" in request.headers or not cookies.present(request):
            return None
        if self._is_foreign(request):
            return errors.problem(request, HTTPStatus.FORBIDDEN, "Requests from other sites are refused.")
        if _has_body(request) and _media_type(request) in SIMPLE and not _is_own_upload(request):
            detail = "With cookies, a body needs a content type that forms cannot have, like application/json."
            return errors.problem(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
        return None

    def _is_foreign(self, request: Request) -> bool:
        """Whether a browser sends its credentials here on behalf of another site.

        Programs send neither of the two headers; a browser always sends one of them with an unsafe
        request across sites.
        """
        site = request.headers.get("sec-fetch-site")
        if site in {"same-origin", "none"}:
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return site is not None
        host = request.headers.get("host")
        return origin not in self._settings.allowed_origins and urlsplit(origin).netloc != host

    def _most(self, request: Request) -> int:
        """Bytes that a body may have at all; routes that read their own allow less."""
        is_json = _media_type(request).endswith("json")
        return self._settings.max_content_bytes if is_json else self._settings.max_document_bytes


def _limited(receive: Receive, most: int) -> Receive:
    """The same body, but no more of it: some do not say how long they are."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise TooLarge(_too_large(most))
        return message

    return limited


def _too_large(most: int) -> str:
    return f"The body is larger than {most} bytes."


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _is_own_upload(request: Request) -> bool:
    """Whether a page of ours sends a file; that it is ours the browser has to say, not just not to deny."""
    return _media_type(request) == "multipart/form-data" and request.headers.get("sec-fetch-site") == "same-origin"


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
