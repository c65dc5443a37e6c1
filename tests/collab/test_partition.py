"""A real partition: a collab process in a network of its own, from which packets to the stores silently vanish."""

import asyncio
import subprocess
from contextlib import AsyncExitStack, ExitStack
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.clients import Node
from tests.collab.island import Island, NotPermitted, island
from tests.collab.test_nodes import all_have, enter, type_words
from tests.collab.world import World, running
from tests.flows.valve import Valve


def by_way_of(url: str, valve: Valve) -> str:
    """The same URL, at the valve."""
    parts = urlsplit(url)
    netloc = parts.netloc.replace(f"{parts.hostname}:{parts.port}", f"{valve.host}:{valve.port}")
    return urlunsplit(parts._replace(netloc=netloc))


async def stores_from(place: Island, world: World, stack: AsyncExitStack) -> dict[str, str]:
    """The settings with which a process there finds the stores."""
    settings = world.settings
    urls = {
        "DOXIE_APP_DATABASE_URL": settings.app_database_url.get_secret_value(),
        "DOXIE_REDIS_URL": settings.redis_url.get_secret_value(),
        "DOXIE_S3_ENDPOINT": settings.s3_endpoint,
    }
    for name, url in urls.items():
        valve = await stack.enter_async_context(Valve(urlsplit(url).port or 0, host=place.mainland))
        urls[name] = by_way_of(url, valve)
    return urls


def connected(place: Island, urls: dict[str, str]) -> set[tuple[str, str]]:
    """The connections that processes there have to the stores: both ends, as the kernel writes them."""
    table = subprocess.run([*place.inside, "cat", "/proc/net/tcp"], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in table.splitlines()[1:]]
    ports = {f"{urlsplit(url).port:04X}" for url in urls.values()}
    return {(row[1], row[2]) for row in rows if row[3] == "01" and row[2].partition(":")[2] in ports}


async def test_a_node_behind_a_dead_switch(node: Node, world: World) -> None:
    doc = await world.document()
    with ExitStack() as ground:
        try:
            place = ground.enter_context(island())
        except NotPermitted as error:
            pytest.skip(f"no network of our own can be made here: {error}".strip())
        async with AsyncExitStack() as stack:
            urls = await stores_from(place, world, stack)
            cut_off = await stack.enter_async_context(
                running(
                    world.settings, host=place.address, inside=place.inside, DOXIE_STORE_SILENCE_SECONDS="4", **urls
                )
            )
            mainland = await stack.enter_async_context(running(world.settings))
            ann, amy = [await enter(node, kind, cut_off.url, world, doc) for kind in ("y-websocket", "hocuspocus-4")]
            bob = await enter(node, "hocuspocus-3", mainland.url, world, doc)
            words = await type_words(ann, 0, 5) + await type_words(bob, 1, 5)
            for client in (ann, amy, bob):
                await client.catches_up_with(bob)
            await ann.saved(30_000)
            before = connected(place, urls)
            assert before
            place.cut()
            ours, theirs = await asyncio.gather(type_words(ann, 2, 20), type_words(bob, 3, 20))
            words += ours + theirs
            await amy.catches_up_with(ann)  # typing goes on there
            async with asyncio.timeout(30):
                while not (await ann.state())["refused"]:
                    await asyncio.sleep(0.05)
            await bob.saved(30_000)
            assert ours[0] not in await bob.text()
            async with asyncio.timeout(30):  # a kernel left alone keeps them for a quarter of an hour, or for ever
                while before & connected(place, urls):
                    await asyncio.sleep(0.2)
            place.heal()
            await all_have([ann, amy, bob], world, doc, words)
            await ann.saved(30_000)
            for client in (ann, amy, bob):
                await client.destroy()
