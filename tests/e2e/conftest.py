"""What the browser tests share: a browser, and somebody to write with."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.conftest import Stack
from tests.e2e.browser import browser
from tests.people import Person, sign_up


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as started:
        yield started


@pytest.fixture
async def cleo(stack: Stack, ann: Person) -> AsyncIterator[Person]:
    """A member of Ann's organization."""
    async with sign_up(stack.api, "Cleo") as person:
        await ann.invite(person)
        yield person
