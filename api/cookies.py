"""The cookies browsers carry: out of reach for scripts, never sent along from other sites."""

from typing import Literal

from fastapi import Request, Response

from infra.settings import Settings

Name = Literal["doxie_access", "doxie_refresh", "doxie_errand"]


def access_token(request: Request) -> str | None:
    """The access token a browser sends."""
    return _read(request, "doxie_access")


def refresh_token(request: Request) -> str | None:
    """The refresh token a browser sends."""
    return _read(request, "doxie_refresh")


def errand(request: Request) -> str | None:
    """What a browser that was sent to a provider brings back; see `api.federation`."""
    return _read(request, "doxie_errand")


def store_errand(response: Response, settings: Settings, token: str, *, seconds: int) -> None:
    """Let a browser remember what it was sent to a provider for."""
    _write(response, settings, "doxie_errand", token, seconds)


def clear_errand(response: Response, settings: Settings) -> None:
    """The errand is done."""
    _write(response, settings, "doxie_errand", "", 0)


def present(request: Request) -> bool:
    """Whether a browser sends credentials of its own accord."""
    return access_token(request) is not None or refresh_token(request) is not None


def store(response: Response, settings: Settings, *, access: str, refresh: str) -> None:
    """Give a browser both tokens."""
    _write(response, settings, "doxie_access", access, settings.access_token_seconds)
    _write(response, settings, "doxie_refresh", refresh, settings.refresh_token_seconds)


def clear(response: Response, settings: Settings) -> None:
    """Take both tokens from a browser."""
    _write(response, settings, "doxie_access", "", 0)
    _write(response, settings, "doxie_refresh", "", 0)


def _read(request: Request, name: Name) -> str | None:
    return request.cookies.get(f"__Host-{name}") or request.cookies.get(name)


def _write(response: Response, settings: Settings, name: Name, value: str, seconds: int) -> None:
    response.set_cookie(
        f"__Host-{name}" if settings.secure_cookies else name,
        value,
        max_age=seconds,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )
