"""Sessions: seen, ended, continued, and never continued by two."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from infra.db import Database
from models import auth
from models.auth import Device
from tests.conftest import Stack
from tests.people import Person

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@asynccontextmanager
async def signed_in(stack: Stack, person: Person, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody is signed in."""
    async with httpx.AsyncClient(base_url=stack.api, headers=headers, timeout=30) as browser:
        answer = await browser.post("/auth/login", json={"email": person.email, "password": person.password})
        assert answer.is_success
        yield browser


@asynccontextmanager
async def seated(stack: Stack, browser: httpx.AsyncClient, document_id: str) -> AsyncIterator[ClientConnection]:
    """An editor's socket."""
    token = (await browser.post(f"/documents/{document_id}/collab-token")).raise_for_status().json()["token"]
    async with connect(f"{stack.settings.collab_url}/{document_id}?token={token}") as socket:
        yield socket


async def closed(socket: ClientConnection) -> int:
    """The code a socket is closed with, within five seconds."""
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                await socket.recv()
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code


async def test_sessions_say_where_somebody_is(stack: Stack, ann: Person) -> None:
    async with signed_in(stack, ann, **{"user-agent": FIREFOX}) as browser:
        found = (await browser.get("/auth/sessions")).json()["items"]
    here = [item for item in found if item["current"]]
    assert [(item["device"], item["ip"]) for item in here] == [("Firefox on Linux", "127.0.0.1")]
    assert [item["device"] for item in found if not item["current"]] == ["python-httpx"]


async def test_signing_out_everywhere_ends_this_session_as_well(stack: Stack, ann: Person) -> None:
    async with signed_in(stack, ann) as browser:
        assert (await ann.api.post("/auth/sessions/revoke-all")).status_code == 204
        for api in (browser, ann.api):
            assert (await api.get("/auth/me")).status_code == 401
        assert (await browser.post("/auth/refresh")).status_code == 401
    async with signed_in(stack, ann) as again:
        assert (await again.get("/auth/me")).status_code == 200


async def test_only_so_many_sessions_live_at_once(stack: Stack, ann: Person, db: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys.modules["models.auth.sessions"], "MOST_SESSIONS", 3)
    email = f"{secrets.token_hex(6)}@example.com"
    async with db.transaction() as session:
        user = await auth.register(session, email=email, name="Many", password_hash=None)
    begun = []
    for _ in range(5):
        async with db.transaction() as session:
            begun.append(await auth.sign_in(session, user, Device(), stack.settings))
    oldest, next_one = (sign_in.session.id for sign_in in begun[:2])
    assert [sign_in.displaced for sign_in in begun] == [(), (), (), (oldest,), (next_one,)]
    actor = auth.Actor(user.id, None, "Many")
    async with db.transaction() as session:
        live = await auth.sessions(session, actor)
        assert len(live) == 3
        await session.execute(
            text("UPDATE auth_sessions SET revoked_at = now() - :ago WHERE user_id = :id"),
            {"ago": timedelta(days=31), "id": user.id},
        )
    async with db.transaction() as session:
        await auth.sign_in(session, user, Device(), stack.settings)
        known = await session.scalar(text("SELECT count(*) FROM auth_sessions WHERE user_id = :id"), {"id": user.id})
        assert known == 1


async def test_fifty_refreshes_at_once_leave_one_chain(stack: Stack, ann: Person, owner_db: Database) -> None:
    async with signed_in(stack, ann) as browser:
        first = browser.cookies["doxie_refresh"]

    async def refresh(token: str) -> str:
        async with httpx.AsyncClient(base_url=stack.api, cookies={"doxie_refresh": token}, timeout=60) as tab:
            answer = await tab.post("/auth/refresh")
            assert answer.status_code == 200, answer.text
            return answer.cookies["doxie_refresh"]

    (second,) = set(await asyncio.gather(*(refresh(first) for _ in range(50))))
    (third,) = set(await asyncio.gather(*(refresh(second) for _ in range(50))))
    assert len({first, second, third}) == 3
    query = """
        SELECT count(*), count(*) FILTER (WHERE used_at IS NULL) FROM refresh_tokens WHERE session_id IN
            (SELECT session_id FROM refresh_tokens WHERE hash = sha256(convert_to(:token, 'UTF8')))
    """
    async with owner_db.transaction() as session:
        rows = await session.execute(text(query), {"token": third})
        assert tuple(rows.one()) == (3, 1), "three tokens, of which one is good"
        stored = await session.scalars(text("SELECT encode(hash, 'escape') FROM refresh_tokens"))
        assert not {first, second, third} & set(stored)


async def test_within_the_grace_the_same_successor_comes_again(stack: Stack, ann: Person) -> None:
    async with signed_in(stack, ann) as browser:
        old = browser.cookies["doxie_refresh"]
        new = (await browser.post("/auth/refresh")).cookies["doxie_refresh"]
        async with httpx.AsyncClient(base_url=stack.api, cookies={"doxie_refresh": old}) as late:
            assert (await late.post("/auth/refresh")).cookies["doxie_refresh"] == new
        assert (await browser.post("/auth/refresh")).status_code == 200


async def test_a_replay_ends_the_family_its_tokens_and_its_sockets(
    stack: Stack, ann: Person, owner_db: Database
) -> None:
    document = ann.document["id"]
    async with signed_in(stack, ann) as browser, seated(stack, browser, document) as socket:
        stolen = browser.cookies["doxie_refresh"]
        access = (await browser.post("/auth/refresh")).json()["access_token"]
        bearer = {"authorization": f"Bearer {access}"}
        assert (await ann.api.get("/auth/me", headers=bearer)).status_code == 200
        async with owner_db.transaction() as session:  # the grace is over
            over = "UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE used_at IS NOT NULL"
            await session.execute(text(over))
        async with httpx.AsyncClient(base_url=stack.api, cookies={"doxie_refresh": stolen}) as thief:
            assert (await thief.post("/auth/refresh")).status_code == 401
        assert await closed(socket) == 4401
        assert (await browser.post("/auth/refresh")).status_code == 401
        assert (await ann.api.get("/auth/me", headers=bearer)).status_code == 401
    assert (await ann.api.get("/auth/me")).status_code == 200, "her other session goes on"
    async with owner_db.transaction() as session:
        noted = text("SELECT count(*) FROM account_events WHERE user_id = :id AND action = 'account.refresh_replayed'")
        assert await session.scalar(noted, {"id": ann.user["id"]}) == 1


@pytest.mark.parametrize("how", ["logout", "revoke", "revoke others", "revoke all", "change password"])
async def test_every_ending_reaches_open_sockets(stack: Stack, ann: Person, how: str) -> None:
    document = ann.document["id"]
    async with signed_in(stack, ann) as browser, seated(stack, browser, document) as socket:
        current = next(item for item in (await browser.get("/auth/sessions")).json()["items"] if item["current"])
        change = {"old_password": ann.password, "new_password": "another good one"}
        ways: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
            "logout": lambda: browser.post("/auth/logout"),
            "revoke": lambda: ann.api.delete(f"/auth/sessions/{current['id']}"),
            "revoke others": lambda: ann.api.delete("/auth/sessions"),
            "revoke all": lambda: ann.api.post("/auth/sessions/revoke-all"),
            "change password": lambda: ann.api.post("/auth/password", json=change),
        }
        assert (await ways[how]()).status_code == 204
        assert await closed(socket) == 4401
        assert (await browser.get("/auth/me")).status_code == 401
