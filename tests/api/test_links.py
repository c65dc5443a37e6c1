"""Links to documents: what they open, what they do not, and that each use looks at the link as it is now."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from infra.db import Database
from tests.conftest import Stack
from tests.people import OCTETS, Pen, Person, text_of

PASSWORD = "an open secret"


@pytest.fixture
async def nobody(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without an account."""
    async with httpx.AsyncClient(base_url=stack.api, timeout=30) as client:
        yield client


async def opened(nobody: httpx.AsyncClient, link: dict[str, Any], password: str | None = None) -> httpx.Response:
    body = {"token": link["token"]} | ({"password": password} if password is not None else {})
    return await nobody.post("/shared/open", json=body)


async def use(nobody: httpx.AsyncClient, link: dict[str, Any], password: str | None = None) -> None:
    """Open a link and go on with what it gives."""
    answer = (await opened(nobody, link, password)).raise_for_status().json()
    nobody.headers["authorization"] = f"Bearer {answer['access_token']}"


async def test_a_link_opens_one_document_for_reading(ann: Person, nobody: httpx.AsyncClient) -> None:
    await ann.save(Pen().write("for everybody"))
    link = await ann.share()
    assert link["url"].endswith(f"/shared#token={link['token']}")
    await use(nobody, link)
    document = (await nobody.get("/shared/document")).json()
    assert (document["title"], document["level"]) == ("Notes", "read")
    assert text_of((await nobody.get("/shared/state")).content) == "for everybody"
    assert (await nobody.get("/shared/content", headers={"accept": "text/html"})).status_code == 200
    assert (await nobody.post("/shared/collab-token")).json()["access"] == "read"
    assert (await nobody.post("/shared/updates", content=Pen().write("x"), headers=OCTETS)).status_code == 403
    elsewhere = [f"/documents/{ann.document['id']}", f"/orgs/{ann.org['id']}", "/auth/me", "/orgs"]
    assert [(await nobody.get(path)).status_code for path in elsewhere] == [401] * 4


@pytest.mark.parametrize(("level", "access"), [("read", "read"), ("comment", "read"), ("write", "write")])
async def test_levels(ann: Person, nobody: httpx.AsyncClient, level: str, access: str) -> None:
    await use(nobody, await ann.share(level=level))
    assert (await nobody.get("/shared/document")).json()["level"] == level
    assert (await nobody.post("/shared/collab-token")).json()["access"] == access
    written = await nobody.post("/shared/updates", content=Pen().write("x"), headers=OCTETS)
    assert written.status_code == (202 if access == "write" else 403)


async def test_what_is_written_has_the_link_as_its_author(
    ann: Person, nobody: httpx.AsyncClient, owner_db: Database
) -> None:
    link = await ann.share(level="write")
    await use(nobody, link)
    await nobody.post("/shared/updates", content=Pen().write("by nobody"), headers=OCTETS)
    query = "SELECT actor_id, origin FROM document_updates WHERE document_id = :document"
    async with owner_db.transaction() as session:
        [entry] = await session.execute(text(query), {"document": ann.document_id})
    assert (str(entry.actor_id), entry.origin) == (link["id"], "share")


async def test_links_manage_nothing(ann: Person) -> None:
    for wish in ({"level": "manage"}, {"level": "none"}, {"id": str(uuid4())}, {"password": "abc"}, {"epoch": 9}):
        answer = await ann.api.post(f"/documents/{ann.document['id']}/share-links", json=wish)
        assert answer.status_code == 422, wish
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    answer = await ann.api.post(f"/documents/{ann.document['id']}/share-links", json={"expires_at": yesterday})
    assert answer.status_code == 422


async def test_a_password(ann: Person, nobody: httpx.AsyncClient) -> None:
    link = await ann.share(password=PASSWORD)
    assert link["has_password"]
    for given in (None, "", "another one", PASSWORD.upper()):
        assert (await opened(nobody, link, given)).status_code == 403
    await use(nobody, link, PASSWORD)
    assert (await nobody.get("/shared/document")).status_code == 200


async def revoke(ann: Person, link: dict[str, Any], _: Database) -> None:
    await ann.json("DELETE", f"/documents/{ann.document['id']}/share-links/{link['id']}")


async def expire(ann: Person, link: dict[str, Any], owner_db: Database) -> None:
    async with owner_db.transaction() as session:
        query = "UPDATE share_links SET expires_at = now() - interval '1 second' WHERE id = :id"
        await session.execute(text(query), {"id": link["id"]})


async def trash(ann: Person, _: dict[str, Any], __: Database) -> None:
    await ann.json("DELETE", f"/documents/{ann.document['id']}")


async def close(ann: Person, _: dict[str, Any], __: Database) -> None:
    await ann.json("DELETE", f"/orgs/{ann.org['id']}", json={"name": "Acme"})


async def suspend(ann: Person, _: dict[str, Any], owner_db: Database) -> None:
    async with owner_db.transaction() as session:
        await session.execute(
            text("UPDATE organizations SET suspended_at = now() WHERE id = :org"), {"org": ann.org["id"]}
        )


@pytest.mark.parametrize("end", [revoke, expire, trash, close, suspend])
async def test_a_link_that_is_over_is_over_at_once(
    ann: Person,
    nobody: httpx.AsyncClient,
    owner_db: Database,
    end: Callable[[Person, dict[str, Any], Database], Awaitable[None]],
) -> None:
    link = await ann.share(level="write")
    await use(nobody, link)
    assert (await nobody.get("/shared/document")).status_code == 200
    await end(ann, link, owner_db)
    answers = [
        await nobody.get("/shared/document"),
        await nobody.get("/shared/state"),
        await nobody.get("/shared/content"),
        await nobody.post("/shared/collab-token"),
        await nobody.post("/shared/updates", content=Pen().write("x"), headers=OCTETS),
        await opened(nobody, link),
    ]
    assert {answer.status_code for answer in answers} == {404}


async def test_another_password_ends_what_was_opened_with_the_old_one(ann: Person, nobody: httpx.AsyncClient) -> None:
    link = await ann.share(password=PASSWORD)
    await use(nobody, link, PASSWORD)
    path = f"/documents/{ann.document['id']}/share-links/{link['id']}"
    await ann.json("PATCH", path, json={"level": "comment"})
    assert (await nobody.get("/shared/document")).json()["level"] == "comment"
    await ann.json("PATCH", path, json={"password": "a new secret"})
    assert (await nobody.get("/shared/document")).status_code == 404
    assert (await opened(nobody, link, PASSWORD)).status_code == 403
    await use(nobody, link, "a new secret")
    await ann.json("PATCH", path, json={"password": None})
    assert (await nobody.get("/shared/document")).status_code == 404
    await use(nobody, link)
    assert (await nobody.get("/shared/document")).status_code == 200


async def test_tokens_that_open_nothing_are_all_the_same(
    ann: Person, bob: Person, nobody: httpx.AsyncClient, owner_db: Database
) -> None:
    over, gone = await ann.share(), await ann.share(password=PASSWORD)
    await expire(ann, over, owner_db)
    await revoke(ann, gone, owner_db)
    org_id, link_id, secret = (await ann.share(password=PASSWORD))["token"].split(".")
    answers = [
        await nobody.post("/shared/open", json={"token": token, "password": PASSWORD})
        for token in (
            over["token"],
            gone["token"],
            f"{org_id}.{link_id}.{secret[:-1]}x",
            f"{org_id}.{uuid4()}.{secret}",
            f"{bob.org['id']}.{link_id}.{secret}",
            "nonsense",
            "",
        )
    ]
    bodies = {(a.status_code, a.json()["type"], a.json()["detail"]) for a in answers}
    assert len(bodies) == 1
    assert answers[0].status_code == 404


async def test_other_tokens_open_nothing_here(ann: Person, nobody: httpx.AsyncClient) -> None:
    await use(nobody, await ann.share())
    collab = (await nobody.post("/shared/collab-token")).json()["token"]
    for token, code in ((str(ann.api.headers["authorization"])[7:], 404), (collab, 404), ("nonsense", 404)):
        answer = await nobody.get("/shared/document", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == code
    nobody.headers.pop("authorization")
    assert (await nobody.get("/shared/document")).status_code == 401


async def test_managers_see_links_and_not_their_secrets(ann: Person, bob: Person, nobody: httpx.AsyncClient) -> None:
    link = await ann.share(password=PASSWORD)
    await asyncio.gather(*(opened(nobody, link, PASSWORD) for _ in range(3)))
    [listed] = (await ann.json("GET", f"/documents/{ann.document['id']}/share-links"))["items"]
    assert listed["opened_at"] is not None
    assert listed["token"] is None
    assert not {"secret_hash", "password_hash", "password"} & listed.keys()
    for path in ("", f"/{link['id']}"):
        answer = await bob.api.request(
            "DELETE" if path else "GET", f"/documents/{ann.document['id']}/share-links{path}"
        )
        assert answer.status_code == 404


async def test_what_is_done_is_noted_without_secrets(
    ann: Person, nobody: httpx.AsyncClient, owner_db: Database
) -> None:
    link = await ann.share(password=PASSWORD)
    await opened(nobody, link, "wrong")
    await opened(nobody, link, PASSWORD)
    await ann.json("DELETE", f"/documents/{ann.document['id']}/share-links/{link['id']}")
    async with owner_db.transaction() as session:
        query = "SELECT action, details::text AS details FROM audit_events WHERE org_id = :org ORDER BY id"
        rows = list(await session.execute(text(query), {"org": ann.org_id}))
    acts = [row.action for row in rows if row.action.startswith("share_link")]
    assert acts == ["share_link.made", "share_link.refused", "share_link.opened", "share_link.revoked"]
    assert not any(PASSWORD in row.details or link["token"].split(".")[2] in row.details for row in rows)
