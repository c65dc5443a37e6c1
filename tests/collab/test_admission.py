"""Who is asked for at the door, and who was a moment ago: without a database, which is asked by a function."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import pytest

from collab.admission import STORM, Admission
from collab.protocol import Close
from collab.seat import CannotOpen, Guest

ORG, DOCUMENT = UUID(int=1), UUID(int=2)
CROWD = [Guest(UUID(int=n), UUID(int=n + 100), ORG, DOCUMENT, True) for n in range(10, 10 + 2 * STORM)]


class Registry:
    """Says who may enter, and remembers of whom it was asked."""

    def __init__(self) -> None:
        self.asked: list[set[Guest]] = []
        self.gone: set[Guest] = set()
        self.news = 0
        self.during: Callable[[], object] = lambda: None

    async def unchanged(self, guests: Collection[Guest]) -> set[Guest]:
        self.asked.append(set(guests))
        found = set(guests) - self.gone
        self.during()
        return found

    async def look_up(self, guest: Guest) -> Guest:
        raise CannotOpen(Close.FORBIDDEN, "gone")


@asynccontextmanager
async def door(registry: Registry) -> AsyncIterator[Admission]:
    admission = Admission(registry.look_up, registry.unchanged, lambda: registry.news)
    running = asyncio.create_task(admission.run())
    yield admission
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def arrive(admission: Admission, guests: Collection[Guest]) -> list[Guest | BaseException]:
    return await asyncio.gather(*(_enter(admission.confirm(guest)) for guest in guests), return_exceptions=True)


async def _enter(confirmed: Guest | Awaitable[Guest]) -> Guest:
    return confirmed if isinstance(confirmed, Guest) else await confirmed


async def test_who_comes_alone_is_asked_for_each_time() -> None:
    registry = Registry()
    async with door(registry) as admission:
        for _ in range(2):
            assert await arrive(admission, CROWD[:1]) == CROWD[:1]
    assert registry.asked == [{CROWD[0]}, {CROWD[0]}]


async def test_in_a_storm_who_was_confirmed_a_moment_ago_is_not_asked_for_again() -> None:
    registry = Registry()
    async with door(registry) as admission:
        assert await arrive(admission, CROWD) == CROWD
        assert await arrive(admission, CROWD) == CROWD
    assert registry.asked == [set(CROWD)]


async def test_that_holds_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab.admission.FRESH_SECONDS", 0.0)
    registry = Registry()
    async with door(registry) as admission:
        for _ in range(2):
            assert await arrive(admission, CROWD) == CROWD
    assert registry.asked == [set(CROWD), set(CROWD)]


async def test_after_news_everybody_is_asked_for_again() -> None:
    registry = Registry()
    async with door(registry) as admission:
        await arrive(admission, CROWD)
        registry.gone, registry.news = {CROWD[0]}, 1
        first, *others = await arrive(admission, CROWD)
    assert isinstance(first, CannotOpen)
    assert first.code is Close.FORBIDDEN
    assert others == CROWD[1:]


async def test_an_answer_that_news_overtook_does_not_hold() -> None:
    registry = Registry()

    def lose_one() -> None:
        registry.gone, registry.news = {CROWD[0]}, 1

    async with door(registry) as admission:
        registry.during = lose_one
        assert await arrive(admission, CROWD) == CROWD  # who is let in by it is suspected: see Rooms.enter
        first, *_ = await arrive(admission, CROWD)
    assert isinstance(first, CannotOpen)


async def test_who_was_refused_is_asked_for_again() -> None:
    registry = Registry()
    registry.gone = {CROWD[0]}
    async with door(registry) as admission:
        await arrive(admission, CROWD)
        registry.gone = set()
        assert await arrive(admission, CROWD) == CROWD
    assert registry.asked == [set(CROWD), {CROWD[0]}]
