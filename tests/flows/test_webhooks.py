"""Webhooks, delivered to a real server that answers as it is told to."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from infra import outgoing
from infra.db import Database
from tests.flows.desk import until
from tests.people import Person


@dataclass(slots=True)
class Receiver:
    """A server on loopback, what it got, and what it answers."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line]
        headers = {name.lower(): value for name, value in lines}
        self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        location = "location: http://127.0.0.1:1/\r\n" if self.status == 302 else ""
        writer.write(f"HTTP/1.1 {self.status} X\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async def next(self, count: int) -> tuple[dict[str, str], dict[str, Any]]:
        """The headers and the content of the so-manieth request."""
        async with asyncio.timeout(60):
            while len(self.got) < count:
                await asyncio.sleep(0.05)
        headers, body = self.got[count - 1]
        return headers, json.loads(body)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=1"
    yield receiver
    server.close()


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """As any library for Standard Webhooks computes it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def subscribe(ann: Person, url: str, *events: str) -> dict[str, Any]:
    wish = {"url": url, "events": events or ("document.created",)}
    made: dict[str, Any] = await ann.json("POST", f"/orgs/{ann.org['id']}/webhooks", json=wish)
    return made


async def deliveries(ann: Person, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    page = await ann.json("GET", f"/orgs/{ann.org['id']}/webhooks/{webhook['id']}/deliveries")
    items: list[dict[str, Any]] = page["items"]
    return items


async def test_events_arrive_signed_once(ann: Person) -> None:
    async with receiving() as receiver:
        webhook = await subscribe(ann, receiver.url)
        assert webhook["secret"].startswith("whsec_")
        document = await ann.create_document("Told")
        headers, content = await receiver.next(1)
        assert (content["type"], content["data"]["document_id"]) == ("document.created", document["id"])
        assert headers["webhook-signature"] == signature(webhook["secret"], headers, receiver.got[0][1])
        rotated = await ann.json("POST", f"/orgs/{ann.org['id']}/webhooks/{webhook['id']}/rotate-secret")
        await ann.create_document("Again")
        headers, _ = await receiver.next(2)
        wanted = [signature(item["secret"], headers, receiver.got[1][1]) for item in (rotated, webhook)]
        assert headers["webhook-signature"].split() == wanted
        listed = await ann.json("GET", f"/orgs/{ann.org['id']}/webhooks")
        assert [item["secret"] for item in listed["items"]] == [None]
        assert len(receiver.got) == 2


async def test_what_fails_is_tried_again_and_can_be_sent_again(ann: Person) -> None:
    async with receiving() as receiver:
        receiver.status = 500
        webhook = await subscribe(ann, receiver.url)
        await ann.create_document()
        first, _ = await receiver.next(2)
        receiver.status = 302
        await receiver.next(3)
        receiver.status = 204
        await receiver.next(4)
        async with asyncio.timeout(30):
            while (await deliveries(ann, webhook))[0]["state"] != "succeeded":
                await asyncio.sleep(0.05)
        [delivery] = await deliveries(ann, webhook)
        assert (delivery["attempts"], delivery["status"], delivery["id"]) == (4, 204, first["webhook-id"])
        path = f"/orgs/{ann.org['id']}/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver"
        assert (await ann.api.post(path)).status_code == 202
        again, _ = await receiver.next(5)
        assert again["webhook-id"] == first["webhook-id"]


async def test_who_is_gone_is_not_asked_again(ann: Person, owner_db: Database) -> None:
    async with receiving() as receiver:
        receiver.status = 410
        webhook = await subscribe(ann, receiver.url)
        for _ in range(10):
            await ann.create_document()
        async with asyncio.timeout(60):
            while (await ann.json("GET", f"/orgs/{ann.org['id']}/webhooks"))["items"][0]["enabled"]:
                await asyncio.sleep(0.1)
        assert len(receiver.got) == 10
        assert {item["state"] for item in await deliveries(ann, webhook)} == {"failed"}
        await ann.create_document()
        assert len(await deliveries(ann, webhook)) == 10
        path = f"/orgs/{ann.org['id']}/webhooks/{webhook['id']}"
        # What somebody sends again meanwhile is left alone by the flow, and arrives once it is enabled.
        [newest, *_] = await deliveries(ann, webhook)
        assert (await ann.api.post(f"{path}/deliveries/{newest['id']}/redeliver")).status_code == 202

        async def left_alone() -> bool:
            query = text("SELECT count(*) FROM outbox WHERE subject_id = :id")
            async with owner_db.transaction() as session:
                return not await session.scalar(query, {"id": newest["id"]})

        await until(left_alone, 60)
        assert len(receiver.got) == 10
        receiver.status = 200
        assert (await ann.json("PATCH", path, json={"enabled": True}))["failures"] == 0
        headers, _ = await receiver.next(11)
        assert headers["webhook-id"] == newest["id"]


async def test_only_admins_and_nobody_else_have_webhooks(ann: Person, bob: Person) -> None:
    async with receiving() as receiver:
        webhook = await subscribe(ann, receiver.url)
        path = f"/orgs/{ann.org['id']}/webhooks"
        assert (await bob.api.get(path)).status_code == 404
        await ann.invite(bob)
        assert (await bob.api.get(path)).status_code == 403
        assert (await bob.api.delete(f"{path}/{webhook['id']}")).status_code == 403
        assert (await ann.api.delete(f"{path}/{webhook['id']}")).status_code == 204


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[fe80::1]/",
        "https://100.64.0.1/",
        "https://[64:ff9b::7f00:1]/",
        "http://93.184.216.34/",
        "ftp://93.184.216.34/",
        "file:///etc/passwd",
        "https://user:pass@93.184.216.34/",
        "https://:443/",
        "https://93.184.216.34:99999/",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "nonsense",
    ],
)
async def test_nothing_goes_to_where_it_should_not(url: str) -> None:
    with pytest.raises(outgoing.Forbidden):
        await outgoing.post(url, b"", {})
