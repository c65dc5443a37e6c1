"""Two nodes that are restarted one after the other while people type: nothing that was acknowledged is gone."""

import asyncio
from contextlib import suppress
from uuid import UUID

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

from collab import protocol
from tests.collab.sockets import Editor
from tests.collab.test_failures import url
from tests.collab.test_hostile import applied
from tests.collab.world import Collab, World, running

SAVED = protocol.sync_status(saved=True)


class Typist:
    """Types words, one after the other is saved; goes to the other node when this one closes, with what it has."""

    def __init__(self, world: World, doc: UUID, nodes: list[Collab], number: int) -> None:
        self.acknowledged: list[str] = []
        self.codes: list[int] = []
        self._typed: list[str] = []
        self._world = world
        self._doc = doc
        self._nodes = nodes
        self._number = number
        self._editor = Editor(100 + number)
        self._at = number

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        while not stop.is_set():
            node = self._nodes[self._at % len(self._nodes)]
            try:
                async with connect(url(node, self._doc, self._world.token(self._doc)), max_size=None) as socket:
                    await self._type(socket, stop)
            except websockets.ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd else 0)
            except (OSError, websockets.InvalidHandshake, TimeoutError):
                await asyncio.sleep(0.05)
            self._at += 1

    async def _type(self, socket: ClientConnection, stop: asyncio.Event) -> None:
        await socket.send(protocol.step2(self._editor.doc.get_update()))  # all it has, as a client does
        await saved(socket)
        self.acknowledged = list(self._typed)
        while not stop.is_set():
            word = f"<{self._number}.{len(self._typed)}>"
            self._typed.append(word)
            await socket.send(protocol.update(self._editor.type(word)))
            await saved(socket)
            self.acknowledged.append(word)


async def saved(socket: ClientConnection) -> None:
    """Wait for one "saved"."""
    async with asyncio.timeout(30):
        while await socket.recv() != SAVED:
            pass


async def ready(node: Collab) -> None:
    """Wait until a node can be used."""
    async with asyncio.timeout(90), httpx.AsyncClient() as client:
        while True:
            with suppress(httpx.TransportError):
                if (await client.get(f"{node.http}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)


async def test_a_rolling_restart_loses_nothing(world: World) -> None:
    docs = [await world.document() for _ in range(3)]
    async with running(world.settings) as one, running(world.settings) as other:
        nodes = [one, other]
        typists = [Typist(world, doc, nodes, number) for doc in docs for number in range(3)]
        stop = asyncio.Event()
        typing = [asyncio.create_task(typist.run(stop)) for typist in typists]
        for node in (one, other, one):
            before = sum(len(typist.acknowledged) for typist in typists)
            async with asyncio.timeout(90):
                while sum(len(typist.acknowledged) for typist in typists) < before + 200:
                    await asyncio.sleep(0.05)
            assert await node.stop() == 0, "everything was saved before it ended"
            await node.start()
            await ready(node)
        stop.set()
        await asyncio.wait(typing, timeout=20)
        for task in typing:
            task.cancel()
    codes = {code for typist in typists for code in typist.codes}
    assert protocol.Close.TRY_AGAIN in codes
    for doc in docs:
        text = await applied([entry.payload for entry in await world.journal(doc)])
        for typist in typists:
            if typist._doc == doc:
                assert typist.acknowledged
                assert [text.count(word) for word in typist.acknowledged] == [1] * len(typist.acknowledged)
