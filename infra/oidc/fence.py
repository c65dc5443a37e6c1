"""Requests to a provider go to the hosts of its settings, answer soon and briefly, and go nowhere else."""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import httpx

from infra.oidc.errors import ProviderDown
from infra.settings import OidcProvider

MAX_BYTES: Final = 256 * 1024
SECONDS: Final = 10.0
"""For one whole answer; a connection is given up after less."""
TIMEOUT: Final = httpx.Timeout(5.0, connect=3.0)

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Fence(httpx.AsyncBaseTransport):
    """A transport for one provider. What it wraps stays open: several share the connections."""

    def __init__(self, inner: httpx.AsyncBaseTransport, provider: OidcProvider) -> None:
        self._inner = inner
        self._provider = provider

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            ProviderDown: it leads elsewhere, or the answer is none.
        """
        check(str(request.url), self._provider)
        request.headers["accept-encoding"] = "identity"  # a compressed answer could be a bomb
        try:
            async with asyncio.timeout(SECONDS):
                response = await self._inner.handle_async_request(request)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise ProviderDown(f"{self._provider.id}: {type(error).__name__}") from error
        kept = {"content-type": response.headers.get("content-type", "application/octet-stream")}
        return httpx.Response(response.status_code, headers=kept, content=body, request=request)

    async def aclose(self) -> None:
        """The connections are not its own."""


def connections() -> httpx.AsyncHTTPTransport:
    """What fences share: verified TLS, no proxy of the environment, no retry."""
    return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), trust_env=False, retries=0)


def check(url: str, provider: OidcProvider) -> None:
    """Make sure that an address belongs to a provider: its issuer's host or one of its `hosts`, over TLS.

    Raises:
        ProviderDown: it does not.
    """
    parts = urlsplit(url)
    issuer = urlsplit(provider.issuer)
    local = parts.hostname in _LOOPBACK and issuer.hostname in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ProviderDown(f"{provider.id}: {url} is not reached over TLS")
    if parts.netloc not in {issuer.netloc, *provider.hosts}:
        raise ProviderDown(f"{provider.id}: {parts.netloc} is none of its hosts")


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:
        body += chunk
        if len(body) > MAX_BYTES:
            raise httpx.RemoteProtocolError("the answer is too long")
    return bytes(body)


def every(urls: Iterable[str | None], provider: OidcProvider) -> None:
    """Check several addresses; None is one that a provider does not have."""
    for url in urls:
        if url is not None:
            check(url, provider)
