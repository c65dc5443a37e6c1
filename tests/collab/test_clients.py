"""Unmodified clients of every kind edit together."""

import asyncio
from typing import get_args
from uuid import UUID

import pytest

from tests.clients import Kind, Node, YClient
from tests.collab.world import Collab, World

KINDS: tuple[Kind, ...] = get_args(Kind)


async def join(node: Node, kind: Kind, collab: Collab, world: World, doc: UUID, **options: object) -> YClient:
    """A client that has synced."""
    client = await YClient.connect(
        node,
        kind,
        collab.url,
        str(doc),
        world.token(doc),
        ack=True,
        **options,
    )
    return await client.synced()


async def test_all_kinds_edit_text_and_rich_text_together(node: Node, collab: Collab, world: World) -> None:
    doc = await world.document()
    clients = [await join(node, kind, collab, world, doc) for kind in KINDS]
    for client in clients:
        await client.append(f"[{client.kind} sagt: schön 🎉]")
        await client.paragraph(client.kind, bold=True)
        await client.saved()
    late = await join(node, "hocuspocus-4", collab, world, doc)
    for client in [*clients, late]:
        for other in clients:
            await client.catches_up_with(other)
    [text] = {await client.text() for client in [*clients, late]}
    [xml] = {await client.xml() for client in [*clients, late]}
    assert all(f"[{kind} sagt: schön 🎉]" in text and f"<bold>{kind}</bold>" in xml for kind in KINDS)
    assert len(await world.journal(doc)) == 2 * len(KINDS), "nothing twice, and no empty answers"
    assert node.uncaught == []


async def test_many_at_once_converge(node: Node, collab: Collab, world: World) -> None:
    doc = await world.document()
    clients = [await join(node, KINDS[number % 3], collab, world, doc) for number in range(9)]

    async def types(client: YClient, name: int) -> None:
        for number in range(20):
            await client.insert(0, f"<{name}.{number}>")
        await client.saved()

    await asyncio.gather(*(types(client, name) for name, client in enumerate(clients)))
    for client in clients:
        for other in clients:
            await client.catches_up_with(other)
    texts = {await client.text() for client in clients}
    assert len(texts) == 1
    text = texts.pop()
    assert all(text.count(f"<{name}.{number}>") == 1 for name in range(9) for number in range(20))
    for client in clients:
        await client.destroy()


async def test_presence_comes_and_goes(node: Node, collab: Collab, world: World) -> None:
    doc = await world.document()
    clients = [await join(node, kind, collab, world, doc) for kind in KINDS]
    for client in clients:
        await client.call("setAwareness", field="user", value={"name": f"{client.kind} é"})
    for client in clients:
        states = await client.call("waitAwareness", count=3)
        assert {state["user"]["name"] for state in states.values()} == {f"{kind} é" for kind in KINDS}
    await clients[0].destroy()
    for client in clients[1:]:
        await client.call("waitAwareness", count=2)


async def test_several_documents_on_one_socket(node: Node, collab: Collab, world: World) -> None:
    docs = [await world.document() for _ in range(3)]
    clients = [await join(node, "hocuspocus-4", collab, world, doc, socket="shared") for doc in docs]
    twice = [
        await join(node, "hocuspocus-4", collab, world, docs[0], socket="sessions", sessions=True) for _ in range(2)
    ]
    for number, client in enumerate(clients):
        await client.append(f"document {number}")
        await client.saved()
    for client in twice:
        await client.sees("document 0")
    await twice[0].append("!")
    await twice[1].sees("document 0!")
    await clients[0].destroy()
    await clients[1].append("!")
    await clients[1].saved()
    assert await clients[2].text() == "document 2"


@pytest.mark.parametrize("kind", KINDS)
async def test_offline_edits_are_brought_along(node: Node, collab: Collab, world: World, kind: Kind) -> None:
    doc = await world.document()
    ann, bob = [await join(node, kind, collab, world, doc) for _ in range(2)]
    await ann.append("together ")
    await ann.saved()
    await bob.sees("together ")
    await ann.call("disconnect")
    await ann.append("alone")
    await bob.remove(0, 1)
    await ann.call("reconnect")
    await ann.synced()
    await ann.saved()
    await bob.sees("ogether alone")
    await ann.sees("ogether alone")


async def test_a_reconnect_journals_nothing_again(node: Node, collab: Collab, world: World) -> None:
    doc = await world.document()
    ann = await join(node, "hocuspocus-4", collab, world, doc)
    await ann.append("hello")
    await ann.remove(0, 2)
    await ann.saved()
    before = await world.journal(doc)
    for _ in range(3):
        await ann.call("disconnect")
        await ann.call("reconnect")
        await ann.synced()
        await ann.saved()
    assert await world.journal(doc) == before
