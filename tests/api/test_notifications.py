"""What people are told, and hearing of it at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from infra.db import Database
from models import notifications
from models.notifications import Kind
from tests.conftest import Stack
from tests.people import Pen, Person, sign_up


@pytest.fixture
async def cleo(stack: Stack, ann: Person) -> AsyncIterator[Person]:
    """A member of Ann's organization."""
    async with sign_up(stack.api, "Cleo") as person:
        await ann.invite(person)
        yield person


async def told(person: Person, **parameters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await person.json("GET", "/notifications", params=parameters))["items"]
    return items


async def tell(db: Database, ann: Person, event: str, *people: Person) -> None:
    users = [UUID(person.user["id"]) for person in people]
    async with db.transaction(org_ids=[ann.org_id]) as session:
        await notifications.tell(
            session, ann.org_id, users, Kind.ACCESS_GRANTED, event, document_id=ann.document_id, title="Notes"
        )


class Stream:
    """Server-sent events of one person."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next event: its id and what it says."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(30):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name in ("id", "event", "data"):
                    fields[name] = value
                elif not line and "data" in fields:
                    return fields["id"], json.loads(fields["data"])
        raise EOFError


@asynccontextmanager
async def streaming(person: Person, after: str | None = None) -> AsyncIterator[Stream]:
    headers = {"last-event-id": after} if after else {}
    async with person.api.stream("GET", "/notifications/stream", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer.aiter_lines())


async def test_an_event_is_told_once_and_read_once(ann: Person, cleo: Person, db: Database) -> None:
    await asyncio.gather(*(tell(db, ann, "same", cleo, cleo) for _ in range(5)))
    [item] = await told(cleo)
    assert (item["kind"], item["document_id"], item["read_at"]) == ("access.granted", ann.document["id"], None)
    assert await told(ann) == []
    assert (await ann.api.post(f"/notifications/{item['id']}/read")).status_code == 404
    await cleo.json("POST", f"/notifications/{item['id']}/read")
    assert await told(cleo, unread=True) == []
    assert len(await told(cleo)) == 1
    await tell(db, ann, "same", cleo)
    assert await told(cleo, unread=True) == []


async def test_streams_hear_at_once_and_catch_up(ann: Person, cleo: Person, db: Database) -> None:
    async with streaming(cleo) as stream:
        await tell(db, ann, "one", cleo)
        first, content = await stream.next()
        assert content["data"] == {"title": "Notes"}
        await tell(db, ann, "two", cleo)
        await stream.next()
    await tell(db, ann, "three", cleo)
    async with streaming(cleo, after=first) as stream:
        assert [(await stream.next())[1]["id"] for _ in range(2)] == [item["id"] for item in (await told(cleo))[1::-1]]


async def test_a_stream_ends_with_its_session(ann: Person, cleo: Person, db: Database) -> None:
    async with streaming(cleo) as stream:
        await cleo.json("POST", "/auth/logout")
        await tell(db, ann, "too late", cleo)
        with pytest.raises((EOFError, httpx.RemoteProtocolError)):
            await stream.next()


async def test_who_watches_hears_of_changes(ann: Person, cleo: Person) -> None:
    path = f"/documents/{ann.document['id']}/watch"
    assert await cleo.json("GET", path) == {"state": "default"}
    await cleo.json("PUT", path, json={"state": "watch"})
    pen = Pen()
    async with streaming(cleo) as stream:
        await ann.save(pen.write("first"))
        _, content = await stream.next()
    assert (content["kind"], content["actor_id"]) == ("document.changed", ann.user["id"])
    assert await told(ann) == [], "her own change"
    await cleo.json("POST", "/notifications/read")
    await cleo.json("PUT", path, json={"state": "mute"})
    before = len(await told(cleo))
    cleo.document = ann.document
    await cleo.save(pen.write("second"))
    async with asyncio.timeout(30):
        while not await told(ann):  # the creator watches without asking
            await asyncio.sleep(0.1)
    assert len(await told(cleo)) == before


async def test_asking_for_access_is_told_and_answered(ann: Person, cleo: Person) -> None:
    secret = await ann.create_document("Secret")
    await ann.json("PUT", f"/documents/{secret['id']}/access", json={"org_access": "none"})
    await cleo.json("POST", f"/documents/{secret['id']}/access-requests", json={"level": "read"})
    [item] = await told(ann)
    assert (item["kind"], item["actor_id"], item["data"]["level"]) == ("access.requested", cleo.user["id"], "read")
    request = f"/documents/{secret['id']}/access-requests/{item['data']['request_id']}"
    await ann.json("POST", f"{request}/approve", json={})
    [answer] = await told(cleo)
    assert (answer["kind"], answer["data"]["title"]) == ("access.granted", "Secret")


async def test_nobody_hears_of_a_foreign_organization(ann: Person, bob: Person, cleo: Person, db: Database) -> None:
    await tell(db, ann, "removed", cleo)
    await ann.json("DELETE", f"/orgs/{ann.org['id']}/members/{cleo.user['id']}")
    assert await told(cleo) == []
    assert await told(bob) == []
