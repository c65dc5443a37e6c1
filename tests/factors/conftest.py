"""A browser without a session, and an authenticator in it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conftest import Stack
from tests.factors.authenticator import Authenticator


@pytest.fixture
async def browser(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not signed in."""
    async with httpx.AsyncClient(base_url=stack.api, timeout=30) as client:
        yield client


@pytest.fixture
def authenticator(stack: Stack) -> Authenticator:
    """On the pages of this deployment."""
    return Authenticator(stack.settings.public_url)
