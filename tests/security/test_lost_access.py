"""Who loses access to a document loses their sockets at it: members, guests, and people with a link."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import ClientConnection, connect

from collab import protocol
from collab.protocol import Close
from flows import operating
from infra.db import Database
from tests.collab.sockets import Editor
from tests.collab.test_failures import acknowledged, closed, url
from tests.collab.world import Collab, running
from tests.conftest import Stack
from tests.people import Pen, Person

SECONDS = 5.0
GONE = (Close.FORBIDDEN, Close.NOT_FOUND)


@pytest.fixture(scope="module")
async def nodes(stack: Stack) -> AsyncIterator[list[Collab]]:
    async with running(stack.settings) as one, running(stack.settings) as other:
        yield [one, other]


async def edit(socket: ClientConnection, client: int = 1) -> None:
    await socket.send(protocol.update(Editor(client).type("x")))
    await acknowledged(socket)


async def token(person: Person, document: str) -> str:
    return str((await person.json("POST", f"/documents/{document}/collab-token"))["token"])


async def close_to_org(ann: Person, bob: Person) -> None:
    await ann.json("PUT", f"/documents/{ann.document['id']}/access", json={"org_access": "none"})


async def suspend(ann: Person, bob: Person) -> None:
    await ann.json("POST", f"/orgs/{ann.org['id']}/members/{bob.user['id']}/suspend")


async def make_a_guest(ann: Person, bob: Person) -> None:
    await ann.json("PATCH", f"/orgs/{ann.org['id']}/members/{bob.user['id']}", json={"role": "guest"})


async def leave(ann: Person, bob: Person) -> None:
    await bob.json("DELETE", f"/orgs/{ann.org['id']}/members/{bob.user['id']}")


async def delete_the_org(ann: Person, bob: Person) -> None:
    await ann.json("DELETE", f"/orgs/{ann.org['id']}", json={"name": "Acme"})


async def suspend_the_org(ann: Person, bob: Person) -> None:
    await operating.suspend_org(ann.org_id, suspended=True)


@pytest.mark.parametrize("act", [close_to_org, suspend, make_a_guest, leave, delete_the_org, suspend_the_org])
async def test_members(
    ann: Person, bob: Person, nodes: list[Collab], act: Callable[[Person, Person], Awaitable[None]]
) -> None:
    await ann.invite(bob)
    document = ann.document["id"]
    given = await token(bob, document)
    async with connect(url(nodes[0], document, given)) as one, connect(url(nodes[1], document, given)) as other:
        await edit(one)
        await act(ann, bob)
        assert set(await asyncio.gather(closed(one, SECONDS), closed(other, SECONDS))) <= set(GONE)


@pytest.mark.parametrize("act", [close_to_org, suspend, leave, suspend_the_org])
async def test_what_was_exported_is_not_fetched_any_more(
    ann: Person, bob: Person, act: Callable[[Person, Person], Awaitable[None]]
) -> None:
    await ann.invite(bob)
    await ann.save(Pen().write("secret"))
    export = await bob.json("POST", f"/documents/{ann.document['id']}/exports", json={"format": "markdown"})
    async with asyncio.timeout(60):
        while "download_url" not in export or export["download_url"] is None:
            await asyncio.sleep(0.1)
            export = await bob.json("GET", f"/exports/{export['id']}")
    async with httpx.AsyncClient() as anybody:  # the address alone is enough, as a browser's download has no header
        assert "secret" in (await anybody.get(export["download_url"])).raise_for_status().text
        await act(ann, bob)
        assert (await anybody.get(export["download_url"])).status_code in (403, 404)


@pytest.mark.parametrize("through", ["user", "group"])
async def test_guests(ann: Person, bob: Person, nodes: list[Collab], through: str) -> None:
    await ann.invite(bob, "guest")
    document, grantee = ann.document["id"], bob.user["id"]
    if through == "group":
        groups = f"/orgs/{ann.org['id']}/groups"
        grantee = (await ann.json("POST", groups, json={"name": "Readers"}))["id"]
        await ann.json("PUT", f"{groups}/{grantee}/members/{bob.user['id']}")
    grant = f"/documents/{document}/grants/{through}s/{grantee}"
    await ann.json("PUT", grant, json={"level": "write"})
    async with connect(url(nodes[0], document, await token(bob, document))) as socket:
        await edit(socket)
        await (ann.json("DELETE", grant) if through == "user" else ann.json("DELETE", f"{groups}/{grantee}"))
        assert await closed(socket, SECONDS) in GONE


async def test_who_may_only_read_now_stays_and_writes_no_more(
    ann: Person, bob: Person, nodes: list[Collab], owner_db: Database
) -> None:
    await ann.invite(bob)
    document = ann.document["id"]
    async with connect(url(nodes[0], document, await token(bob, document))) as socket:
        await edit(socket)
        await ann.json("PUT", f"/documents/{document}/access", json={"org_access": "comment"})
        with pytest.raises(TimeoutError):  # still there
            await closed(socket, 2)
        await socket.send(protocol.update(Editor(2).type("y")))
        assert await closed(socket, SECONDS) == Close.FORBIDDEN
    async with owner_db.transaction() as session:
        query = text("SELECT count(*) FROM document_updates WHERE document_id = :document")
        assert await session.scalar(query, {"document": ann.document_id}) == 1


# --- links ---


@pytest.fixture
async def nobody(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without an account."""
    async with httpx.AsyncClient(base_url=stack.api, timeout=30) as client:
        yield client


async def by_link(nobody: httpx.AsyncClient, link: dict[str, Any]) -> str:
    """A token for a socket."""
    opened = (await nobody.post("/shared/open", json={"token": link["token"]})).raise_for_status().json()
    bearer = {"authorization": f"Bearer {opened['access_token']}"}
    return str((await nobody.post("/shared/collab-token", headers=bearer)).raise_for_status().json()["token"])


def path_of(ann: Person, link: dict[str, Any]) -> str:
    return f"/documents/{ann.document['id']}/share-links/{link['id']}"


async def revoke(ann: Person, link: dict[str, Any]) -> None:
    await ann.json("DELETE", path_of(ann, link))


async def set_a_password(ann: Person, link: dict[str, Any]) -> None:
    await ann.json("PATCH", path_of(ann, link), json={"password": "a secret"})


async def trash(ann: Person, link: dict[str, Any]) -> None:
    await ann.json("DELETE", f"/documents/{ann.document['id']}")


async def close_the_org(ann: Person, link: dict[str, Any]) -> None:
    await delete_the_org(ann, ann)


@pytest.mark.parametrize("act", [revoke, set_a_password, trash, close_the_org])
async def test_people_with_a_link(
    ann: Person,
    nobody: httpx.AsyncClient,
    nodes: list[Collab],
    owner_db: Database,
    act: Callable[[Person, dict[str, Any]], Awaitable[None]],
) -> None:
    link, document = await ann.share(level="write"), ann.document["id"]
    given, again = await by_link(nobody, link), await by_link(nobody, link)
    async with connect(url(nodes[0], document, given)) as one, connect(url(nodes[1], document, given)) as other:
        await edit(one)
        await act(ann, link)
        assert set(await asyncio.gather(closed(one, SECONDS), closed(other, SECONDS))) <= set(GONE)
    async with connect(url(nodes[0], document, again)) as late:
        assert await closed(late, SECONDS) in GONE
    async with owner_db.transaction() as session:
        query = text("SELECT actor_id, origin FROM document_updates WHERE document_id = :document")
        rows = list(await session.execute(query, {"document": ann.document_id}))
    assert [(str(row.actor_id), row.origin) for row in rows] == [(link["id"], "share")]


async def test_readers_with_a_link_cannot_write(ann: Person, nobody: httpx.AsyncClient, nodes: list[Collab]) -> None:
    link, document = await ann.share(level="comment"), ann.document["id"]
    async with connect(url(nodes[0], document, await by_link(nobody, link))) as socket:
        await socket.send(protocol.update(Editor(1).type("x")))
        assert await closed(socket, SECONDS) == Close.FORBIDDEN


async def test_a_link_is_for_its_document(ann: Person, nobody: httpx.AsyncClient, nodes: list[Collab]) -> None:
    given = await by_link(nobody, await ann.share(level="write"))
    other = await ann.create_document("Other")
    async with connect(url(nodes[0], other["id"], given)) as socket:
        assert await closed(socket, SECONDS) == Close.NOT_FOUND
