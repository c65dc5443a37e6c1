"""What Prefect has to know: some of it from the environment, before it is imported."""

import os
from pathlib import Path
from typing import Any

_NOBODY = Path(__file__).parent / "nobody.pem"
"""An authority whose key nobody has."""

_DEFAULTS = {
    # It calls home otherwise.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A missing server is no reason to start one inside this process.
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL": "INFO",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


def prepare() -> None:
    """Set whatever of it nobody has set."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)


def api(ui_url: str) -> dict[Any, Any]:
    """Prefect's settings for reaching its API: as the environment says, else beside its pages."""
    from prefect.settings import PREFECT_API_SSL_CERT_FILE, PREFECT_API_URL

    url = os.environ.get("PREFECT_API_URL") or f"{ui_url.rstrip('/')}/api"
    if url.startswith("https://"):
        return {PREFECT_API_URL: url}
    # Each flow run makes a client, which reads all authorities there are, for 20 ms, even where there is no TLS.
    return {PREFECT_API_URL: url, PREFECT_API_SSL_CERT_FILE: str(_NOBODY)}
