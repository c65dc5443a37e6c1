"""Which addresses a document may lead to: none that runs a script, on whatever reads it."""

import re

IGNORED = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")  # browsers skip some of these inside a scheme
SCHEME = re.compile(r"([^/?#:]*):")
IMAGE_DATA = re.compile(r"data:image/(png|jpeg|gif|webp)[;,]", re.IGNORECASE)


def safe_link(url: object) -> str | None:
    """`url` if it is relative or has a scheme that only leads somewhere."""
    return _allowed(url, {"http", "https", "mailto"})


def safe_image(url: object) -> str | None:
    """`url` if it is relative, on the web, or a bitmap in itself."""
    if isinstance(url, str) and IMAGE_DATA.match(url):
        return url
    return _allowed(url, {"http", "https"})


def _allowed(url: object, schemes: set[str]) -> str | None:
    if not isinstance(url, str):
        return None
    scheme = SCHEME.match(IGNORED.sub("", url))
    return url if scheme is None or scheme[1].lower() in schemes else None
