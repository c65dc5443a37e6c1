"""Three collab processes on the same stores: one is killed, Redis goes and forgets, a node is cut off from everything.

Whatever happens costs time only. Clients reach their node by way of a valve that leads them to another one afterwards,
as a load balancer does.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from redis.asyncio import Redis

from tests.clients import Kind, Node, YClient
from tests.collab.test_outages import behind_valves, text_of
from tests.collab.world import Collab, World, running
from tests.flows.valve import Valve

KINDS: tuple[Kind, ...] = ("y-websocket", "hocuspocus-4", "hocuspocus-3")


class Way:
    """The way of some clients to whichever node serves them now."""

    def __init__(self, node: Collab) -> None:
        self.valve = Valve(node.port)

    async def lead_to(self, node: Collab) -> None:
        """From now on to this one."""
        await self.valve.close()
        self.valve.target = node.port
        await self.valve.open()

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"ws://127.0.0.1:{self.valve.port}/collab"


@asynccontextmanager
async def nodes(world: World, count: int = 3) -> AsyncIterator[list[tuple[Collab, Way]]]:
    """Collab processes, and a way to each."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            node = await stack.enter_async_context(running(world.settings))
            way = Way(node)
            await stack.enter_async_context(way.valve)
            made.append((node, way))
        yield made


async def enter(node: Node, kind: Kind, url: str, world: World, doc: UUID) -> YClient:
    """A client that has synced."""
    client = await YClient.connect(node, kind, url, str(doc), world.token(doc), ack=True)
    return await client.synced(30_000)


async def type_words(client: YClient, name: int, count: int) -> list[str]:
    """Type words that nobody else types, one after another."""
    words = [f"<{name}.{number}>" for number in range(count)]
    for word in words:
        await client.append(word)
        await asyncio.sleep(0.01)
    return words


async def all_have(clients: Sequence[YClient], world: World, doc: UUID, words: Sequence[str]) -> None:
    """Everybody and the journal come to have each word once, in the same order."""
    async with asyncio.timeout(90):
        while True:
            texts = {await client.text() for client in clients}
            entries = await world.journal(doc)
            texts.add(text_of([entry.payload for entry in entries]))
            if len(texts) == 1 and all(word in next(iter(texts)) for word in words):
                break
            await asyncio.sleep(0.2)
    [text] = texts
    found = Counter(text.replace(">", "> ").split())
    assert found == Counter(words), "each once, and nothing else"
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


async def test_a_node_is_killed_under_load(node: Node, world: World) -> None:
    doc = await world.document()
    async with nodes(world) as ring:
        clients = [await enter(node, KINDS[n % 3], ring[n % 3][1].url, world, doc) for n in range(6)]
        typing = [asyncio.create_task(type_words(client, n, 60)) for n, client in enumerate(clients)]
        await asyncio.sleep(0.4)
        await ring[0][0].kill()
        await ring[0][1].lead_to(ring[1][0])
        words = [word for task in typing for word in await task]
        await all_have(clients, world, doc, words)
        for client in clients:
            await client.destroy()
    assert node.uncaught == []


async def test_redis_forgets_and_goes(node: Node, world: World) -> None:
    doc = await world.document()
    async with AsyncExitStack() as stack:
        ring = [await stack.enter_async_context(behind_valves(world)) for _ in range(3)]
        clients = [await enter(node, KINDS[n], ring[n][0].url, world, doc) for n in range(3)]
        words: list[str] = []
        store = Redis.from_url(world.settings.redis_url.get_secret_value())

        async def type_all(number: int) -> None:
            made = await asyncio.gather(*(type_words(c, number * 10 + n, 15) for n, c in enumerate(clients)))
            words.extend(word for some in made for word in some)

        await type_all(0)
        await store.flushall()
        await type_all(1)
        for _, _, redis in ring:
            await redis.close()
        await type_all(2)
        for client in clients:
            await client.saved(30_000)  # Redis is not what makes it so
        for _, _, redis in ring:
            await redis.open()
        await type_all(3)
        await all_have(clients, world, doc, words)
        await store.aclose()
        for client in clients:
            await client.destroy()


async def test_a_node_is_cut_off_from_redis_and_postgres(node: Node, world: World) -> None:
    doc = await world.document()
    async with behind_valves(world) as (island, postgres, redis), running(world.settings) as mainland:
        ann, amy = [await enter(node, kind, island.url, world, doc) for kind in ("y-websocket", "hocuspocus-4")]
        bob = await enter(node, "hocuspocus-3", mainland.url, world, doc)
        words = await type_words(ann, 0, 5) + await type_words(bob, 1, 5)
        for client in (ann, amy, bob):
            await client.catches_up_with(ann)
        await ann.saved()
        postgres.hang()
        redis.hang()
        ours, theirs = await asyncio.gather(type_words(ann, 2, 30), type_words(bob, 3, 30))
        words += ours + theirs
        await amy.catches_up_with(ann)  # typing goes on there
        async with asyncio.timeout(30):
            while not (await ann.state())["refused"]:
                await asyncio.sleep(0.05)
        await bob.saved(30_000)
        assert ours[0] not in await bob.text()
        await postgres.open()
        await redis.open()
        await all_have([ann, amy, bob], world, doc, words)
        for client in (ann, amy, bob):
            await client.saved(30_000)
            await client.destroy()
