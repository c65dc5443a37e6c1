"""Structured logs: JSON lines (or colours on a console), with context and without secrets."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from infra.settings import get_settings

_SECRET_KEY = re.compile(r"password|secret|token|authorization|cookie|signing_key|api_key", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"(?P<url>\w+://[^:/@\s]*:)[^@\s]+(?=@)"  # credentials in a URL
    r"|(?P<param>[?&](?:token|key|code)=)[^&\s\"']+"  # tokens in a query
    r"|(?P<bearer>[Bb]earer )\S+"
    r"|(?P<jwt>)eyJ[\w-]+\.[\w-]+\.[\w-]+"
)


def configure(service: str) -> None:
    """Send the logs of this process, and of the libraries it uses, to standard error."""
    settings = get_settings()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("httpx", "httpcore", "urllib3", "picows"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def redact(text: str) -> str:
    """The text without credentials, tokens and bearer headers."""
    return _SECRET_VALUE.sub(lambda match: "".join(part or "" for part in match.groups()) + "***", text)


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = "***" if _SECRET_KEY.search(key) else redact(value)
    return event
