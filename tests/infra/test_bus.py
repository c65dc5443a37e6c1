"""The bus loses connections and says so; whoever follows a document meanwhile follows it afterwards."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from infra import herald
from infra.bus import Arrival, Bus, Kind, Message
from infra.herald import Herald
from tests.conftest import Stack
from tests.flows.valve import Valve

ROUNDS = 12


@pytest.fixture
async def bus(stack: Stack) -> AsyncIterator[Bus]:
    bus = Bus(stack.settings.redis_url.get_secret_value())
    yield bus
    await bus.close()


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    redis = Redis.from_url(stack.settings.redis_url.get_secret_value())
    yield redis
    await redis.aclose()


async def listen(bus: Bus, heard: list[Arrival]) -> None:
    async for arrival in bus.messages():
        heard.append(arrival)


async def reached(bus: Bus, document_id: UUID, heard: list[Arrival]) -> None:
    """Tell about a document until it is heard."""
    async with asyncio.timeout(30):
        while not any(isinstance(arrival, tuple) and arrival[0] == document_id for arrival in heard):
            await bus.publish(document_id, Kind.UPDATE, b"news", seq=1)
            await asyncio.sleep(0.02)


async def cut(redis: Redis) -> None:
    """Every connection that follows anything."""
    await redis.execute_command("CLIENT", "KILL", "TYPE", "PUBSUB")  # type: ignore[no-untyped-call]


async def test_who_follows_more_while_a_connection_is_made_does_not_read_beside_who_listens(stack: Stack) -> None:
    url = urlsplit(stack.settings.redis_url.get_secret_value())
    heard: list[Arrival] = []
    documents = [uuid4() for _ in range(ROUNDS)]
    async with Valve(url.port or 6379, delay=0.02) as valve:
        bus = Bus(urlunsplit(url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{valve.port}")))
        with capture_logs() as logs:
            listening = asyncio.create_task(listen(bus, heard))
            for document_id in documents:
                valve.cut()
                for pause in (0.0, 0.01, 0.03):
                    await asyncio.sleep(pause)
                    await asyncio.gather(bus.subscribe(document_id), bus.subscribe(uuid4()))
            for document_id in documents:
                await reached(bus, document_id, heard)
        assert not [entry for entry in logs if "another coroutine" in str(entry)]
        assert not listening.done()
        listening.cancel()
        await bus.close()


async def test_a_lost_connection_is_told_once_it_is_back(bus: Bus, redis: Redis) -> None:
    heard: list[Arrival] = []
    listening = asyncio.create_task(listen(bus, heard))
    document_id = uuid4()
    await bus.subscribe(document_id)
    await reached(bus, document_id, heard)
    assert None not in heard
    await cut(redis)
    async with asyncio.timeout(30):
        while None not in heard:
            await asyncio.sleep(0.02)
    heard.clear()
    await reached(bus, document_id, heard)
    listening.cancel()


async def test_what_is_not_followed_any_more_is_not_heard(bus: Bus) -> None:
    heard: list[Arrival] = []
    listening = asyncio.create_task(listen(bus, heard))
    old, new = uuid4(), uuid4()
    await bus.subscribe(old)
    await reached(bus, old, heard)
    await bus.unsubscribe(old)
    await bus.subscribe(new)
    heard.clear()
    await bus.publish(old, Kind.UPDATE, b"news", seq=2)
    await reached(bus, new, heard)
    assert heard[0] == (new, Message(Kind.UPDATE, 1, bus.node, b"news"))
    listening.cancel()


@pytest.mark.parametrize(("bound", "at_most"), [("MAX_BYTES", 10), ("MAX_QUEUED", 2)])
async def test_too_much_news_costs_the_oldest(
    stack: Stack, bus: Bus, monkeypatch: pytest.MonkeyPatch, bound: str, at_most: int
) -> None:
    monkeypatch.setattr(herald, bound, at_most)
    speaking, heard, document_id = Bus(stack.settings.redis_url.get_secret_value()), list[Arrival](), uuid4()
    listening = asyncio.create_task(listen(bus, heard))
    await bus.subscribe(document_id)
    await reached(bus, document_id, heard)
    teller = Herald(speaking)
    for seq in range(1, 5):
        teller.tell(document_id, Kind.UPDATE, b"news", seq)
    await teller.finish()

    def told() -> list[int]:
        messages = [arrival[1] for arrival in heard if isinstance(arrival, tuple)]
        return [message.seq for message in messages if message.node == speaking.node]

    async with asyncio.timeout(30):
        while 4 not in told():
            await asyncio.sleep(0.01)
    assert told() == [3, 4]
    listening.cancel()
    await speaking.close()
