"""Personal access tokens: for scripts, for a while, and for some things only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect

from infra.db import Database
from models import auth, documents, orgs
from models.orgs import Permission
from tests.api.test_sessions import closed
from tests.conftest import Stack
from tests.people import OCTETS, Pen, Person
from tests.security.processes import api_process


async def token_of(person: Person, *scopes: str, **more: Any) -> dict[str, Any]:
    wish = {"name": "CI", "scopes": scopes, **more}
    made: dict[str, Any] = await person.json("POST", "/auth/tokens", json=wish)
    return made


@asynccontextmanager
async def script(stack: Stack, token: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=stack.api, headers=headers, timeout=30) as api:
        yield api


async def test_a_token_reads_or_writes_as_it_is_scoped(stack: Stack, ann: Person) -> None:
    document = f"/documents/{ann.document['id']}"
    update = Pen().write("by a script")
    org = f"/orgs/{ann.org_id}"
    async with script(stack, (await token_of(ann, "read"))["token"]) as reader:
        for path in (document, f"{document}/state", f"{org}/documents", f"{org}/members", "/orgs", "/auth/me"):
            assert (await reader.get(path)).status_code == 200, path
        answer = await reader.post(f"{document}/updates", content=update, headers=OCTETS)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:doxie:TokenMayNot")
        assert (await reader.post("/orgs", json={"name": "X"})).status_code == 403
        seat = await reader.post(f"{document}/collab-token")
        assert (seat.status_code, seat.json()["access"]) == (200, "read")
    async with script(stack, (await token_of(ann, "write"))["token"]) as writer:
        assert (await writer.post(f"{document}/updates", content=update, headers=OCTETS)).status_code == 202
        assert (await writer.get(document)).status_code == 200
        answer = await writer.patch(org, json={"name": "Renamed"})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:doxie:MayNot")
    async with script(stack, (await token_of(ann, "admin"))["token"]) as admin:
        assert (await admin.patch(org, json={"name": "Renamed"})).status_code == 200


async def test_a_token_never_touches_the_account(stack: Stack, ann: Person) -> None:
    made = await token_of(ann, "admin", "write", "read")
    wishes: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "/auth/tokens", None),
        ("POST", "/auth/tokens", {"name": "more", "scopes": ["admin"]}),
        ("DELETE", f"/auth/tokens/{made['id']}", None),
        ("GET", "/auth/sessions", None),
        ("DELETE", "/auth/sessions", None),
        ("POST", "/auth/sessions/revoke-all", None),
        ("PATCH", "/auth/me", {"name": "Eve"}),
        ("POST", "/auth/password", {"old_password": ann.password, "new_password": "another good one"}),
        ("POST", "/auth/email", {"email": "eve@example.com", "password": ann.password}),
    ]
    async with script(stack, made["token"]) as api:
        for method, path, body in wishes:
            answer = await api.request(method, path, json=body)
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:doxie:TokenMayNot"), (method, path)
        answer = await api.post("/auth/reauthenticate", json={"password": ann.password})
        assert answer.status_code in {401, 403}
        assert (await api.get("/auth/me")).json()["id"] == ann.user["id"]


async def test_a_token_sees_what_its_owner_sees(stack: Stack, ann: Person, bob: Person) -> None:
    async with script(stack, (await token_of(ann, "admin"))["token"]) as api:
        assert (await api.get(f"/documents/{bob.document['id']}")).status_code == 404
        assert (await api.get(f"/orgs/{bob.org_id}")).status_code == 404
        assert [org["id"] for org in (await api.get("/orgs")).json()["items"]] == [ann.org["id"]]


async def test_a_deleted_or_old_token_is_over_and_so_are_its_sockets(
    stack: Stack, ann: Person, owner_db: Database
) -> None:
    made, old = await token_of(ann, "write"), await token_of(ann, "read")
    async with script(stack, made["token"]) as api:
        seat = (await api.post(f"/documents/{ann.document['id']}/collab-token")).json()
        async with connect(f"{stack.settings.collab_url}/{ann.document['id']}?token={seat['token']}") as socket:
            assert (await ann.api.delete(f"/auth/tokens/{made['id']}")).status_code == 204
            assert await closed(socket) == 4401
        assert (await api.get("/auth/me")).status_code == 401
    assert (await ann.api.delete(f"/auth/tokens/{made['id']}")).status_code == 404
    async with owner_db.transaction() as session:
        await session.execute(
            text("UPDATE auth_sessions SET expires_at = now() WHERE id = :id"), {"id": UUID(old["id"])}
        )
    async with script(stack, old["token"]) as api:
        assert (await api.get("/auth/me")).status_code == 401
    assert (await ann.json("GET", "/auth/tokens"))["items"] == []


async def test_tokens_are_listed_with_their_last_use_and_stored_as_hashes(
    stack: Stack, ann: Person, owner_db: Database
) -> None:
    made = await token_of(ann, "read", expires_in_days=1)
    assert made["token"].startswith("dox_pat_")
    (listed,) = (await ann.json("GET", "/auth/tokens"))["items"]
    assert (listed["last_used_at"], "token" in listed) == (None, False)
    async with script(stack, made["token"]) as api:
        await asyncio.gather(*(api.get("/auth/me") for _ in range(20)))
    (listed,) = (await ann.json("GET", "/auth/tokens"))["items"]
    assert listed["last_used_at"] is not None
    async with script(stack, made["token"]) as api:
        await api.get("/auth/me")
    (again,) = (await ann.json("GET", "/auth/tokens"))["items"]
    assert again == listed, "noted once a minute"
    async with owner_db.transaction() as session:
        rows = await session.scalars(text("SELECT row_to_json(t)::text FROM personal_access_tokens AS t"))
        kept = await session.scalars(text("SELECT encode(body, 'escape') FROM idempotency_keys WHERE body IS NOT NULL"))
        assert not any(made["token"] in found for found in [*rows, *kept])


async def test_a_token_is_no_session_and_outlives_them(stack: Stack, ann: Person) -> None:
    made = await token_of(ann, "read")
    assert len((await ann.json("GET", "/auth/sessions"))["items"]) == 1
    assert (await ann.api.delete(f"/auth/sessions/{made['id']}")).status_code == 404
    await ann.api.delete("/auth/sessions")
    async with script(stack, made["token"]) as api:
        assert (await api.get("/auth/me")).status_code == 200
        assert (await api.post("/auth/refresh")).status_code == 401


@pytest.mark.parametrize("wish", [{"scopes": []}, {"scopes": ["root"]}, {"expires_in_days": 366}, {"name": " "}])
async def test_wishes_for_tokens_are_checked(ann: Person, wish: dict[str, Any]) -> None:
    answer = await ann.api.post("/auth/tokens", json={"name": "CI", "scopes": ["read"], **wish})
    assert answer.status_code == 422


@pytest.mark.parametrize("token", ["dox_pat_", "dox_pat_nonsense", f"dox_pat_{'x' * 5000}", "DOX_PAT_x"])
async def test_what_is_no_token_is_refused(stack: Stack, token: str) -> None:
    async with script(stack, token) as api:
        assert (await api.get("/auth/me")).status_code == 401


async def test_a_foreign_token_in_the_header_counts_more_than_the_cookie(stack: Stack, ann: Person) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        assert (await browser.get("/auth/me")).status_code == 200
        headers = {"authorization": "Bearer dox_pat_nonsense"}
        assert (await browser.get("/auth/me", headers=headers)).status_code == 401


async def test_a_token_costs_one_round_trip(stack: Stack, ann: Person) -> None:
    made = await token_of(ann, "read")
    path, headers = f"/documents/{ann.document['id']}", {"authorization": f"Bearer {made['token']}"}
    async with api_process(stack.settings) as process, process.client() as api:
        runtime = process.app.state.runtime
        actor = auth.Actor(UUID(ann.user["id"]), None, "Ann", frozenset({ann.org_id}))
        for _ in range(2):  # the first opens the connection
            before = process.postgres.trips
            async with runtime.db.transaction(user_id=actor.user_id, org_ids=actor.org_ids) as session:
                await documents.enter(session, actor, ann.document_id)
            rest = process.postgres.trips - before
        before = process.postgres.trips
        assert (await api.get(path, headers=headers)).status_code == 200
        assert process.postgres.trips - before == rest + 1, "noting its use costs no trip of its own"


def test_every_permission_is_in_a_scope_of_tokens() -> None:
    allowed = frozenset[Permission]().union(*orgs.scope.TOKENS.values())
    assert allowed == frozenset(Permission)
    assert orgs.scope.TOKENS[auth.TokenScope.READ] < orgs.scope.TOKENS[auth.TokenScope.WRITE]
