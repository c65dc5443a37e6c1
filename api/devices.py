"""Browsers in which somebody has signed in before: they are never locked out by what others try elsewhere.

The cookie is no credential. It says, signed, that this browser once knew the password of this address, so that its
attempts are counted on their own and not with everybody's.
"""

import hashlib
import hmac
import secrets
from typing import Final

from fastapi import Request, Response

from infra.settings import Settings

SECONDS: Final = 365 * 24 * 3600
NAME: Final = "doxie_device"


def remember(request: Request, response: Response, settings: Settings, email: str) -> None:
    """Let a browser be known as one of the account's."""
    if knows(request, settings, email):
        return
    device = secrets.token_urlsafe(12)
    response.set_cookie(
        f"__Host-{NAME}" if settings.secure_cookies else NAME,
        f"{device}.{_signature(settings, device, email)}",
        max_age=SECONDS,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def knows(request: Request, settings: Settings, email: str) -> bool:
    """Whether the account has been signed in to in this browser."""
    device, _, signature = _cookie(request).partition(".")
    return hmac.compare_digest(signature.encode(), _signature(settings, device, email).encode())


def name_of(request: Request) -> str:
    """What the browser is called."""
    return _cookie(request).partition(".")[0]


def _cookie(request: Request) -> str:
    return request.cookies.get(f"__Host-{NAME}") or request.cookies.get(NAME) or ""


def _signature(settings: Settings, device: str, email: str) -> str:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, f"device:{device}:{email.lower()}".encode(), hashlib.sha256).hexdigest()
