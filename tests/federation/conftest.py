"""Two providers, an API that knows both, and browsers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Stack
from tests.federation.provider import SITE, ProviderProcess
from tests.security.processes import api_process

NewBrowser = Callable[[], httpx.AsyncClient]


@pytest.fixture(scope="module")
async def acme() -> AsyncIterator[ProviderProcess]:
    """A provider that tells the address at its userinfo endpoint only, and signs with RSA."""
    async with ProviderProcess("acme") as provider:
        yield provider


@pytest.fixture(scope="module")
async def zeta() -> AsyncIterator[ProviderProcess]:
    """A provider that puts the address into the ID token, and signs with an elliptic curve."""
    async with ProviderProcess("zeta", conform=False, algorithm="ES256") as provider:
        yield provider


@pytest.fixture(scope="module")
async def site(stack: Stack, acme: ProviderProcess, zeta: ProviderProcess) -> AsyncIterator[FastAPI]:
    """An API process behind TLS that people can sign in to at both."""
    changes = {"public_url": SITE, "oidc_providers": [acme.settings, zeta.settings]}
    async with api_process(stack.settings, **changes) as process:
        yield process.app


@pytest.fixture
async def new_browser(site: FastAPI) -> AsyncIterator[NewBrowser]:
    """Makes browsers: each has its cookies, for the site and for providers."""
    async with AsyncExitStack() as exits:

        def make() -> httpx.AsyncClient:
            transport = httpx.ASGITransport(site, raise_app_exceptions=False)
            client = httpx.AsyncClient(
                base_url=f"{SITE}/api/v1", mounts={"https://doxie.test": transport}, timeout=30, trust_env=False
            )
            exits.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
def browser(new_browser: NewBrowser) -> httpx.AsyncClient:
    """One of them."""
    return new_browser()
