"""Accounts and sessions."""

import asyncio
import secrets

import httpx
import pytest
from sqlalchemy import text

from infra.db import Database
from tests.conftest import Stack
from tests.people import Person


async def test_registering_twice_is_a_conflict(ann: Person) -> None:
    account = {"email": ann.email.upper(), "password": "another password", "name": "Ann"}
    answer = await ann.api.post("/auth/register", json=account)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:doxie:EmailTaken"


@pytest.mark.parametrize("password", ["short", "password123", "x" * 1025])
async def test_bad_passwords_are_refused_and_not_repeated(stack: Stack, password: str) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as api:
        account = {"email": f"{secrets.token_hex(6)}@example.com", "password": password, "name": "X"}
        answer = await api.post("/auth/register", json=account)
    assert answer.status_code == 422
    assert password not in answer.text


async def test_wrong_password_and_unknown_user_look_the_same(ann: Person) -> None:
    known = await ann.api.post("/auth/login", json={"email": ann.email, "password": "wrong password"})
    unknown = await ann.api.post("/auth/login", json={"email": "nobody@example.com", "password": "wrong pass"})
    same = ("type", "title", "status", "detail")
    assert known.status_code == unknown.status_code == 401
    assert [known.json()[name] for name in same] == [unknown.json()[name] for name in same]


async def test_login_sets_cookies_scripts_cannot_read(ann: Person, stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        answer = await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        assert answer.json()["user"]["id"] == ann.user["id"]
        cookies = answer.headers.get_list("set-cookie")
        assert [cookie.partition("=")[0] for cookie in cookies] == ["doxie_access", "doxie_refresh", "doxie_device"]
        assert all("httponly" in cookie.lower() and "samesite=lax" in cookie.lower() for cookie in cookies)
        assert (await browser.get("/auth/me")).json()["email"] == ann.email


async def test_unsafe_requests_from_other_sites_are_refused(ann: Person, stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            assert (await browser.post("/orgs", json={"name": "X"}, headers=headers)).status_code == 403
        own = {"origin": stack.settings.public_url}
        assert (await browser.post("/orgs", json={"name": "X"}, headers=own)).status_code == 201


async def test_parallel_refreshes_give_one_chain(ann: Person, stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        old = browser.cookies["doxie_refresh"]

    async def refresh() -> str:
        async with httpx.AsyncClient(base_url=stack.api, cookies={"doxie_refresh": old}) as tab:
            answer = (await tab.post("/auth/refresh")).raise_for_status()
            return answer.cookies["doxie_refresh"]

    successors = set(await asyncio.gather(*(refresh() for _ in range(20))))
    assert len(successors) == 1
    assert old not in successors


async def test_replayed_refresh_token_ends_the_session(ann: Person, stack: Stack, owner_db: Database) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        stolen = browser.cookies["doxie_refresh"]
        await browser.post("/auth/refresh")
        async with owner_db.transaction() as session:  # the grace is over
            await session.execute(text("UPDATE refresh_tokens SET used_at = used_at - interval '1 minute'"))
        async with httpx.AsyncClient(base_url=stack.api, cookies={"doxie_refresh": stolen}) as thief:
            assert (await thief.post("/auth/refresh")).status_code == 401
        assert (await browser.post("/auth/refresh")).status_code == 401
        assert (await browser.get("/auth/me")).status_code == 401


async def test_logout_ends_the_session_at_once(ann: Person) -> None:
    assert (await ann.api.get("/auth/me")).status_code == 200
    assert (await ann.api.post("/auth/logout")).status_code == 204
    assert (await ann.api.get("/auth/me")).status_code == 401


async def test_sessions_can_be_revoked(ann: Person, stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as elsewhere:
        await elsewhere.post("/auth/login", json={"email": ann.email, "password": ann.password})
        sessions = (await ann.json("GET", "/auth/sessions"))["items"]
        other = next(item for item in sessions if not item["current"])
        assert (await ann.api.delete(f"/auth/sessions/{other['id']}")).status_code == 204
        assert (await elsewhere.get("/auth/me")).status_code == 401
        assert (await ann.api.delete(f"/auth/sessions/{other['id']}")).status_code == 404


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_bad_bearer_tokens_are_refused(stack: Stack, token: str) -> None:
    async with httpx.AsyncClient(base_url=stack.api, headers={"authorization": f"Bearer {token}"}) as api:
        answer = await api.get("/auth/me")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
