"""`python -m api`: serve the HTTP door."""

import uvicorn

from api.draining import Server
from infra.settings import get_settings


def main() -> None:
    """Serve until told to stop; running requests are answered first."""
    settings = get_settings()
    config = uvicorn.Config(
        "api.main:create_app",
        factory=True,
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # api/middleware.py asks infra/proxies.py
        timeout_graceful_shutdown=10,
    )
    Server(config, settings.drain_seconds).run()


if __name__ == "__main__":
    main()
