"""The web client at `/`: built files (`api/page/dist`), served under a policy that lets nothing else in."""

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response

from infra.settings import Settings

_FILES: Final = Path(__file__).parent / "page" / "dist"

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


@dataclass(frozen=True, slots=True)
class _File:
    """A built file: read and packed once, so that all that a process serves is of one build."""

    media_type: str
    plain: bytes
    packed: bytes

    @classmethod
    def of(cls, path: Path) -> "_File":
        plain = path.read_bytes()
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return cls(media_type, plain, gzip.compress(plain, mtime=0))

    def answer(self, request: Request, **headers: str) -> Response:
        headers["vary"] = "accept-encoding"
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.plain, media_type=self.media_type, headers=headers)
        return Response(self.packed, media_type=self.media_type, headers=headers | {"content-encoding": "gzip"})


def install(app: FastAPI, settings: Settings) -> None:
    """Serve the page and its files."""
    start, icon, worker = (_File.of(_FILES / name) for name in ("index.html", "icon.svg", "sw.js"))
    assets = {path.name: _File.of(path) for path in (_FILES / "assets").iterdir()}
    fresh = {"content-security-policy": content_security_policy(settings), "cache-control": "no-cache"}
    # The browser fetches what the editor needs while it still reads the page; `modulepreload` would also compile it
    # there and then, before the page can ask for the document.
    chunks = [name for name in sorted(assets) if name.endswith(".js") and not name.startswith("index-")]
    preload = {"link": ", ".join(f"</assets/{name}>; rel=preload; as=script; crossorigin" for name in chunks)}

    async def page(request: Request) -> Response:
        return start.answer(request, **fresh, **(preload if request.url.path.startswith("/d/") else {}))

    for path in PATHS:
        app.add_api_route(path, page, methods=["GET"], include_in_schema=False)

    @app.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str, request: Request) -> Response:
        """Their names change with their content."""
        if name not in assets:
            raise HTTPException(404)
        return assets[name].answer(request, **{"cache-control": "public, max-age=31536000, immutable"})

    @app.get("/icon.svg", include_in_schema=False)
    async def icon_file(request: Request) -> Response:
        return icon.answer(request)

    @app.get("/sw.js", include_in_schema=False)
    async def worker_file(request: Request) -> Response:
        """Keeps the page's files in the browser: it asks here for them, and nobody else for anything."""
        return worker.answer(request, **fresh | {"content-security-policy": "default-src 'none'; connect-src 'self'"})


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
            "worker-src 'self'",
            f"connect-src 'self' {collab.scheme}://{collab.netloc}",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )
