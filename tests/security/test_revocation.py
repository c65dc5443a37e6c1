"""Who loses access loses their open sockets too: on every node, and also when the news is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect

from collab import access
from collab.protocol import Close
from collab.seat import Guest
from infra.db import Database
from tests.clients import Kind, Node, YClient
from tests.collab.test_failures import closed, url
from tests.collab.world import Collab, found, running
from tests.conftest import Stack
from tests.people import Person

SECONDS = 5.0
LOST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Bob at a document of Ann's, in a browser and by a script."""

    ann: Person
    bob: Person
    browser: httpx.AsyncClient
    owner_db: Database

    async def token(self) -> str:
        """For the document, from the browser's session."""
        answer = await self.browser.post(f"/documents/{self.ann.document['id']}/collab-token")
        return str(answer.raise_for_status().json()["token"])


Act = Callable[[Scene], Awaitable[object]]


async def log_out(scene: Scene) -> None:
    assert (await scene.browser.post("/auth/logout")).status_code == 204


async def revoke_the_session(scene: Scene) -> None:
    sessions = (await scene.browser.get("/auth/sessions")).json()["items"]
    current = next(item["id"] for item in sessions if item["current"])
    assert (await scene.bob.api.delete(f"/auth/sessions/{current}")).status_code == 204


async def revoke_all_others(scene: Scene) -> None:
    assert (await scene.bob.api.delete("/auth/sessions")).status_code == 204


async def replay_the_refresh_token(scene: Scene) -> None:
    stolen = scene.browser.cookies["doxie_refresh"]
    await scene.browser.post("/auth/refresh")
    async with scene.owner_db.transaction() as session:  # the grace is over
        await session.execute(text("UPDATE refresh_tokens SET used_at = used_at - interval '1 minute'"))
    async with httpx.AsyncClient(base_url=scene.browser.base_url, cookies={"doxie_refresh": stolen}) as thief:
        assert (await thief.post("/auth/refresh")).status_code == 401


async def remove_the_member(scene: Scene) -> None:
    path = f"/orgs/{scene.ann.org['id']}/members/{scene.bob.user['id']}"
    assert (await scene.ann.api.delete(path)).status_code == 204


async def trash_the_document(scene: Scene) -> None:
    assert (await scene.ann.api.delete(f"/documents/{scene.ann.document['id']}")).status_code == 204


ACTS: list[Act] = [
    log_out,
    revoke_the_session,
    revoke_all_others,
    replay_the_refresh_token,
    remove_the_member,
    trash_the_document,
]


@pytest.fixture
async def scene(ann: Person, bob: Person, stack: Stack, owner_db: Database) -> AsyncIterator[Scene]:
    await ann.invite(bob)
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        await browser.post("/auth/login", json={"email": bob.email, "password": bob.password})
        yield Scene(ann, bob, browser, owner_db)


@pytest.fixture(scope="module")
async def nodes(stack: Stack) -> AsyncIterator[tuple[Collab, Collab]]:
    async with running(stack.settings) as one, running(stack.settings) as other:
        yield one, other


@asynccontextmanager
async def deaf_node(stack: Stack) -> AsyncIterator[Collab]:
    """A node to which Redis never says anything."""
    async with running(stack.settings, DOXIE_REDIS_URL="redis://127.0.0.1:1/0") as collab:
        yield collab


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
async def test_sockets_are_closed_on_every_node(
    scene: Scene, nodes: tuple[Collab, Collab], node: Node, act: Act
) -> None:
    document, token = scene.ann.document["id"], await scene.token()
    kinds: tuple[Kind, Kind] = ("y-websocket", "hocuspocus-4")
    clients = [
        await (await YClient.connect(node, kind, collab.url, document, token, ack=True)).synced()
        for kind, collab in zip(kinds, nodes, strict=True)
    ]
    await clients[0].append("mine")
    await clients[0].saved()
    await act(scene)
    codes = await asyncio.gather(*(client.closed(int(SECONDS * 1000)) for client in clients))
    assert set(codes) <= {Close.WHO_ARE_YOU, Close.FORBIDDEN, Close.NOT_FOUND}
    for client in clients:
        await client.append("not mine any more")
        await client.destroy()
    for collab in nodes:
        async with connect(url(collab, document, token)) as socket:
            assert await closed(socket) in {Close.WHO_ARE_YOU, Close.NOT_FOUND}, "the token lasts longer"
    async with scene.owner_db.transaction(org_ids=[scene.ann.org_id]) as session:
        query = text("SELECT count(*) FROM document_updates WHERE document_id = :document")
        assert await session.scalar(query, {"document": scene.ann.document_id}) == 1, "no edit has a later seq"


@pytest.mark.long
async def test_sockets_are_closed_although_the_news_is_lost(
    ann: Person, bob: Person, stack: Stack, owner_db: Database
) -> None:
    async with deaf_node(stack) as collab:
        for act in (log_out, trash_the_document):
            await ann.create_document()
            if act is log_out:
                await ann.invite(bob)
            async with httpx.AsyncClient(base_url=stack.api) as browser:
                await browser.post("/auth/login", json={"email": bob.email, "password": bob.password})
                scene = Scene(ann, bob, browser, owner_db)
                async with connect(url(collab, ann.document["id"], await scene.token())) as socket:
                    await socket.recv()
                    await act(scene)
                    assert await closed(socket, LOST_SECONDS) in (Close.WHO_ARE_YOU, Close.NOT_FOUND)


async def test_many_are_asked_for_in_two_round_trips(stack: Stack, db: Database, owner_db: Database) -> None:
    world = await found(stack.settings)
    document, trashed = await world.document(), await world.document()
    await world.trash(trashed)
    actor = world.actor
    assert actor.session_id is not None
    fine = Guest(actor.user_id, actor.session_id, world.org_id, document, True)
    reader = Guest(actor.user_id, actor.session_id, world.org_id, document, False)
    elsewhere = await found(stack.settings)
    assert elsewhere.actor.session_id is not None
    wrong = {
        "trashed": Guest(actor.user_id, actor.session_id, world.org_id, trashed, True),
        "no such session": Guest(actor.user_id, UUID(int=1), world.org_id, document, True),
        "somebody else's session": Guest(actor.user_id, elsewhere.actor.session_id, world.org_id, document, True),
        "no member": Guest(elsewhere.actor.user_id, elsewhere.actor.session_id, world.org_id, document, True),
        "no such document": Guest(actor.user_id, actor.session_id, world.org_id, UUID(int=2), True),
        "no session": Guest(actor.user_id, None, world.org_id, document, True),
    }
    assert await access.unchanged(db, [fine, reader, *wrong.values()]) == {fine, reader}
    await world.sign_out()
    assert await access.unchanged(db, [fine, reader]) == set()
    for made in (world, elsewhere):
        await made.db.close()
