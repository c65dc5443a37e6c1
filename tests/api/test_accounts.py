"""Addresses, names and passwords of accounts."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from infra.db import Database
from models.auth import devices
from tests import mailbox
from tests.conftest import Stack
from tests.people import Person
from tests.security.processes import api_process

NEW = "a much better secret"
VERIFY, RESET, CHANGE = "Confirm your email address", "Choose a new password", "Confirm your new"


@dataclass
class Visitor:
    """Somebody without an account, at a door where addresses have to be verified."""

    api: httpx.AsyncClient
    email: str

    async def register(self, password: str = NEW, name: str = "Vera") -> httpx.Response:
        return await self.api.post("/auth/register", json={"email": self.email, "password": password, "name": name})

    async def login(self, password: str = NEW) -> httpx.Response:
        return await self.api.post("/auth/login", json={"email": self.email, "password": password})


@pytest.fixture
async def vera(stack: Stack) -> AsyncIterator[Visitor]:
    strict = api_process(stack.settings, email_verification="required")
    async with strict as process, process.client() as api:
        yield Visitor(api, f"vera-{secrets.token_hex(6)}@example.com")


async def login(stack: Stack, email: str, password: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=stack.api) as api:
        return await api.post("/auth/login", json={"email": email, "password": password})


async def test_where_it_is_required_nobody_gets_in_with_a_foreign_address(stack: Stack, vera: Visitor) -> None:
    answer = await vera.register()
    assert answer.status_code == 202
    assert not answer.cookies
    token = await mailbox.token(stack, vera.email, VERIFY)
    waiting = await vera.login()
    assert (waiting.status_code, waiting.json()["type"]) == (403, "urn:doxie:EmailUnverified")
    assert (await vera.login("not the password")).status_code == 401
    assert (await vera.api.post("/auth/verify-email", json={"token": token})).status_code == 204
    assert (await vera.api.post("/auth/verify-email", json={"token": token})).status_code == 422
    signed_in = await vera.login()
    assert signed_in.status_code == 200
    assert signed_in.json()["user"]["email_verified_at"]


async def test_registering_does_not_tell_who_is_there(stack: Stack, vera: Visitor, ann: Person) -> None:
    token = await mailbox.token(stack, ann.email, VERIFY)
    await ann.json("POST", "/auth/verify-email", json={"token": token})
    unknown = await vera.register()
    known = await Visitor(vera.api, ann.email.upper()).register()
    assert known.status_code == unknown.status_code == 202
    assert known.json() == unknown.json()
    assert "just sign in" in mailbox.words(await mailbox.letter(stack, ann.email, "You have an account"))
    assert (await login(stack, ann.email, NEW)).status_code == 401
    assert (await login(stack, ann.email, ann.password)).status_code == 200


async def test_whoever_registers_a_foreign_address_first_gains_nothing(stack: Stack, vera: Visitor) -> None:
    await vera.register("the attacker's own", name="Eve")
    await mailbox.token(stack, vera.email, VERIFY)
    await vera.register()
    # The owner of the address follows the link of their own registration.
    token = await mailbox.token(stack, vera.email, VERIFY, nth=2)
    assert (await vera.api.post("/auth/verify-email", json={"token": token})).status_code == 204
    assert (await vera.login("the attacker's own")).status_code == 401
    signed_in = await vera.login()
    assert signed_in.json()["user"]["name"] == "Vera"


async def test_wishes_for_links_look_the_same_for_everybody(stack: Stack, ann: Person) -> None:
    for path in ("/auth/password/forgot", "/auth/verify-email/resend"):
        known = await ann.api.post(path, json={"email": ann.email})
        unknown = await ann.api.post(path, json={"email": f"{secrets.token_hex(6)}@example.com"})
        assert known.status_code == unknown.status_code == 202
        assert known.json() == unknown.json()


async def test_an_address_can_be_verified_where_that_is_optional(stack: Stack, ann: Person) -> None:
    assert (await ann.json("GET", "/auth/me"))["email_verified_at"] is None
    first = await mailbox.token(stack, ann.email, VERIFY)
    await ann.json("POST", "/auth/verify-email/resend", json={"email": ann.email})
    second = await mailbox.token(stack, ann.email, VERIFY, nth=2)
    await ann.json("POST", "/auth/verify-email", json={"token": second})
    assert (await ann.json("GET", "/auth/me"))["email_verified_at"]
    assert (await ann.api.post("/auth/verify-email", json={"token": first})).status_code == 422


async def test_a_password_change_ends_every_other_session(stack: Stack, ann: Person) -> None:
    elsewhere = (await login(stack, ann.email, ann.password)).json()["access_token"]
    change = {"old_password": "not this one", "new_password": NEW}
    assert (await ann.api.post("/auth/password", json=change)).status_code == 401
    await ann.json("POST", "/auth/password", json=change | {"old_password": ann.password})
    assert (await ann.api.get("/auth/me")).status_code == 200
    bearer = {"authorization": f"Bearer {elsewhere}"}
    assert (await ann.api.get("/auth/me", headers=bearer)).status_code == 401
    assert (await login(stack, ann.email, ann.password)).status_code == 401
    assert (await login(stack, ann.email, NEW)).status_code == 200
    await mailbox.letter(stack, ann.email, "Your password has been changed")


async def test_a_forgotten_password_is_reset_once(stack: Stack, ann: Person) -> None:
    await ann.json("POST", "/auth/password/forgot", json={"email": ann.email.upper()})
    token = await mailbox.token(stack, ann.email, RESET)
    reset = {"token": token, "password": NEW}
    for weak in ("password", f"{ann.email.partition('@')[0]} and more"):
        answer = await ann.api.post("/auth/password/reset", json=reset | {"password": weak})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:doxie:WeakPassword"), weak
    assert (await ann.api.post("/auth/password/reset", json=reset)).status_code == 204
    assert (await ann.api.get("/auth/me")).status_code == 401
    assert (await ann.api.post("/auth/password/reset", json=reset)).status_code == 422
    assert (await login(stack, ann.email, NEW)).status_code == 200


async def test_links_are_for_one_thing_and_a_while(stack: Stack, ann: Person, owner_db: Database) -> None:
    verify = await mailbox.token(stack, ann.email, VERIFY)
    answer = await ann.api.post("/auth/password/reset", json={"token": verify, "password": NEW})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:doxie:LinkOver")
    async with owner_db.transaction() as session:
        old = text("UPDATE mail_links SET expires_at = now() WHERE user_id = :id")
        await session.execute(old, {"id": ann.user["id"]})
    assert (await ann.api.post("/auth/verify-email", json={"token": verify})).status_code == 422


async def test_an_address_changes_once_the_new_one_is_confirmed(stack: Stack, ann: Person) -> None:
    new = f"new-{secrets.token_hex(6)}@example.com"
    change = {"email": new, "password": "not this one"}
    assert (await ann.api.post("/auth/email", json=change)).status_code == 401
    await ann.json("POST", "/auth/email", json=change | {"password": ann.password})
    token = await mailbox.token(stack, new, CHANGE)
    assert new in mailbox.words(await mailbox.letter(stack, ann.email, "about to change"))
    assert (await ann.json("GET", "/auth/me"))["email"] == ann.email
    assert (await ann.api.post("/auth/email/confirm", json={"token": token})).status_code == 204
    assert (await ann.json("GET", "/auth/me"))["email"] == new
    assert (await login(stack, ann.email, ann.password)).status_code == 401
    assert (await login(stack, new, ann.password)).status_code == 200
    await mailbox.letter(stack, ann.email, "has changed")


async def test_nobody_takes_a_foreign_address_and_nobody_learns_of_it(stack: Stack, ann: Person, bob: Person) -> None:
    change = {"email": bob.email, "password": ann.password}
    assert (await ann.api.post("/auth/email", json=change)).status_code == 202
    await mailbox.letter(stack, ann.email, "about to change")
    assert [letter["Subject"] for letter in mailbox.letters(stack, bob.email) if CHANGE in letter["Subject"]] == []


async def test_people_can_be_called_something_else(ann: Person) -> None:
    assert (await ann.json("PATCH", "/auth/me", json={"name": " Anna "}))["name"] == "Anna"
    assert (await ann.api.patch("/auth/me", json={"name": "X", "is_operator": True})).status_code == 422
    (member,) = (await ann.json("GET", f"/orgs/{ann.org_id}/members"))["items"]
    assert member["name"] == "Anna"


@pytest.mark.parametrize("password", ["Passw0rd", "qwertyuiop", "iloveyou1", "winifred-rocks", "x-holmes99-x"])
async def test_passwords_that_are_guessed_first_are_refused(stack: Stack, password: str) -> None:
    account = {"email": "holmes99@example.com", "password": password, "name": "Winifred of York"}
    async with httpx.AsyncClient(base_url=stack.api) as api:
        answer = await api.post("/auth/register", json=account)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:doxie:WeakPassword")


async def test_an_old_hash_is_made_anew_at_the_next_login(stack: Stack, ann: Person, owner_db: Database) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(ann.password)
    read, write = (text(f"{verb} WHERE id = :id") for verb in ("SELECT password_hash FROM users", _SET))
    async with owner_db.transaction() as session:
        await session.execute(write, {"id": ann.user["id"], "hash": weak})
    assert (await login(stack, ann.email, ann.password)).status_code == 200
    async with owner_db.transaction() as session:
        stored = str(await session.scalar(read, {"id": ann.user["id"]}))
    assert "m=19456,t=2" in stored
    assert (await login(stack, ann.email, ann.password)).status_code == 200


_SET = "UPDATE users SET password_hash = :hash"


async def test_what_happens_to_an_account_is_noted(stack: Stack, ann: Person, owner_db: Database) -> None:
    await login(stack, ann.email, ann.password)
    await ann.json("POST", "/auth/password", json={"old_password": ann.password, "new_password": NEW})
    await ann.json("POST", "/auth/logout")
    query = "SELECT action, ip, details::text AS details FROM account_events WHERE user_id = :id ORDER BY id"
    async with owner_db.transaction() as session:
        noted = list(await session.execute(text(query), {"id": ann.user["id"]}))
        org = await session.scalars(
            text("SELECT action FROM audit_events WHERE org_id = :id AND action LIKE 'account.%' ORDER BY id"),
            {"id": ann.org_id},
        )
        assert list(org) == ["account.signed_in", "account.password_changed", "account.signed_out"]
    acts = [row.action.removeprefix("account.") for row in noted]
    assert acts == ["registered", "signed_in", "signed_in", "password_changed", "signed_out"]
    assert all(row.ip == "127.0.0.1" for row in noted)
    assert all(secret not in row.details for row in noted for secret in (NEW, ann.password, ann.email))


def test_devices_are_called_as_people_call_them() -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
    edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36 Edg/130.0"
    names = [devices.name_of(agent) for agent in (firefox, phone, edge, "curl/8.9", "", "<script>", str(uuid4()))]
    assert names[:5] == ["Firefox on Linux", "Safari on iPhone", "Edge on Windows", "curl", "Unknown device"]
    assert names[5] == "Unknown device"
