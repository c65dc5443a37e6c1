"""The web client at `/`: built files (`api/page/dist`), served under a policy that lets nothing else in."""

from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from infra.settings import Settings

_FILES = Path(__file__).parent / "page" / "dist"

PATHS = (
    "/",
    "/d/{rest:path}",
    "/org/{rest:path}",
    *(
        f"/{name}"
        for name in (
            "account",
            "admin",
            "trash",
            "import",
            "sign-in",
            "sign-up",
            "forgot",
            "reset-password",
            "verify-email",
            "change-email",
            "invitations",
            "access-requests",
            "shared",
        )
    ),
)
"""What the page shows something at; it decides itself what."""


class _Immutable(StaticFiles):
    """Files whose names change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def install(app: FastAPI, settings: Settings) -> None:
    """Serve the page and its files."""
    policy = content_security_policy(settings)

    async def page() -> Response:
        headers = {"content-security-policy": policy, "cache-control": "no-cache"}
        return FileResponse(_FILES / "index.html", media_type="text/html", headers=headers)

    for path in PATHS:
        app.add_api_route(path, page, methods=["GET"], include_in_schema=False)
    app.mount("/assets", _Immutable(directory=_FILES / "assets"), name="page-assets")

    @app.get("/icon.svg", include_in_schema=False)
    async def icon() -> Response:
        return FileResponse(_FILES / "icon.svg", media_type="image/svg+xml")


def content_security_policy(settings: Settings) -> str:
    """Scripts and styles from here only, sockets to `collab`, pictures from here or from the document itself."""
    collab = urlsplit(settings.collab_url)
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            f"connect-src 'self' {collab.scheme}://{collab.netloc}",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )
