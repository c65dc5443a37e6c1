"""The web client at `/`: built files (`api/page/dist`), served under a policy that lets nothing else in."""

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response

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
class _Asset:
    """A file whose name changes with its content: read and packed once."""

    media_type: str
    plain: bytes
    packed: bytes

    @classmethod
    def of(cls, path: Path) -> "_Asset":
        plain = path.read_bytes()
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return cls(media_type, plain, gzip.compress(plain, mtime=0))

    def answer(self, accepted: str) -> Response:
        headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
        if "gzip" not in accepted:
            return Response(self.plain, media_type=self.media_type, headers=headers)
        return Response(self.packed, media_type=self.media_type, headers=headers | {"content-encoding": "gzip"})


def install(app: FastAPI, settings: Settings) -> None:
    """Serve the page and its files."""
    assets = {path.name: _Asset.of(path) for path in (_FILES / "assets").iterdir()}
    page_headers = {"content-security-policy": content_security_policy(settings), "cache-control": "no-cache"}
    # The browser fetches what the editor needs while it still reads the page; `modulepreload` would also compile it
    # there and then, before the page can ask for the document.
    chunks = [name for name in sorted(assets) if name.endswith(".js") and not name.startswith("index-")]
    preload = {"link": ", ".join(f"</assets/{name}>; rel=preload; as=script; crossorigin" for name in chunks)}

    async def page(request: Request) -> Response:
        more = preload if request.url.path.startswith("/d/") else {}
        return FileResponse(_FILES / "index.html", media_type="text/html", headers=page_headers | more)

    for path in PATHS:
        app.add_api_route(path, page, methods=["GET"], include_in_schema=False)

    @app.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str, request: Request) -> Response:
        found = assets.get(name)
        return found.answer(request.headers.get("accept-encoding", "")) if found else Response(status_code=404)

    @app.get("/icon.svg", include_in_schema=False)
    async def icon() -> Response:
        return FileResponse(_FILES / "icon.svg", media_type="image/svg+xml")

    @app.get("/sw.js", include_in_schema=False)
    async def worker() -> Response:
        """Keeps the page's files in the browser: it asks here for them, and nobody else for anything."""
        headers = {"content-security-policy": "default-src 'none'; connect-src 'self'", "cache-control": "no-cache"}
        return FileResponse(_FILES / "sw.js", media_type="text/javascript", headers=headers)


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
