"""Sockets of an organization that is full: nothing that was saved is lost, and who only reads is not bothered."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from collab import protocol
from flows import operating
from models.documents.usage import CHECK_SECONDS
from tests.collab.sockets import Editor
from tests.collab.test_failures import acknowledged, closed, url
from tests.collab.test_limits import heard
from tests.collab.world import Collab, found
from tests.conftest import Stack


async def test_an_edit_past_the_quota_is_refused_and_comes_in_later(stack: Stack, collab: Collab) -> None:
    world = await found(stack.settings)
    await operating.set_quota(world.org_id, bytes=3_000)
    doc, editor = await world.document(), Editor(1)
    saved: list[bytes] = []
    async with connect(url(collab, doc, world.token(doc, "read"))) as reader:
        await reader.send(protocol.step1(b"\0"))
        async with connect(url(collab, doc, world.token(doc))) as writer, asyncio.timeout(8 * CHECK_SECONDS):
            with pytest.raises(ConnectionClosed) as refused:
                while True:
                    update = editor.type("x" * 200)
                    await writer.send(protocol.update(update))
                    await acknowledged(writer)
                    saved.append(update)
                    await asyncio.sleep(0.2)
        assert refused.value.rcvd == Close(protocol.Close.TOO_BIG, "organization is full")
        assert [entry.payload for entry in await world.journal(doc)] == saved
        assert sum(map(len, saved)) >= 3_000
        async with connect(url(collab, doc, world.token(doc))) as again:
            await again.send(protocol.step2(saved[0]))  # nothing new: every client says what it has
            await acknowledged(again)
            await again.send(protocol.step2(update))
            assert await closed(again) == protocol.Close.TOO_BIG
        await operating.set_quota(world.org_id, bytes=1_000_000)
        await _comes_in(url(collab, doc, world.token(doc)), update)
        assert [entry.payload for entry in await world.journal(doc)] == [*saved, update]
        await heard(reader, b"\0\2" + bytes([len(update) & 127 | 128]))
    await world.db.close()


async def _comes_in(where: str, update: bytes) -> None:
    """Offer an update as a client does that connects again and again."""
    async with asyncio.timeout(4 * CHECK_SECONDS):
        while True:
            async with connect(where) as client:
                await client.send(protocol.step2(update))
                try:
                    await acknowledged(client)
                except ConnectionClosed:
                    await asyncio.sleep(0.5)
                else:
                    return
