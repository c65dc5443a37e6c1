"""What the integration tests start from: a tenant, and a collab process of their own beside that of the stack."""

from collections.abc import AsyncIterator

import pytest

from tests.collab.world import Collab, World, found, running
from tests.conftest import Stack


@pytest.fixture(scope="session")
async def world(stack: Stack) -> AsyncIterator[World]:
    """Somebody signed in, and their organization."""
    made = await found(stack.settings)
    yield made
    await made.db.close()


@pytest.fixture(scope="session")
async def collab(stack: Stack) -> AsyncIterator[Collab]:
    """A collab process that no test ends."""
    async with running(stack.settings) as process:
        yield process
