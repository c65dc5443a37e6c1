"""What changes around a sign-in: passwords, the last way, mails, and what operators do."""

import asyncio
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from flows import operating
from flows.cli import app
from infra.db import Database
from tests import mailbox
from tests.conftest import Stack
from tests.factors.acts import account_log, add_passkey, begin, enable_totp, finish, reauthenticate
from tests.factors.authenticator import Authenticator
from tests.people import Person


async def _forget_password(owner_db: Database, person: Person) -> None:
    """As if the account had been opened without one."""
    async with owner_db.transaction() as session:
        statement = text("UPDATE users SET password_hash = NULL WHERE id = :id")
        await session.execute(statement, {"id": UUID(person.user["id"])})


async def test_a_changed_password_voids_sign_ins_under_way(ann: Person, browser: httpx.AsyncClient) -> None:
    _, codes = await enable_totp(ann)
    token = (await begin(ann, browser))["token"]
    changed = {"old_password": ann.password, "new_password": "another long password"}
    answer = await ann.api.post("/auth/password", json=changed)
    assert answer.is_success, answer.text
    refused = await finish(browser, token, recovery_code=codes[0])
    assert (refused.status_code, refused.json()["type"]) == (401, "urn:doxie:SignInExpired")


async def test_failed_sign_ins_are_noted(ann: Person, browser: httpx.AsyncClient, owner_db: Database) -> None:
    await browser.post("/auth/login", json={"email": ann.email, "password": "not the password"})
    async with asyncio.timeout(30):  # it is noted after the answer
        while "account.sign_in_failed" not in await account_log(owner_db, ann):
            await asyncio.sleep(0.05)


async def test_changes_are_mailed(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator, stack: Stack
) -> None:
    _, codes = await enable_totp(ann)
    await finish(browser, (await begin(ann, browser))["token"], recovery_code=codes[0])
    await add_passkey(ann, authenticator, "Key\nring")
    await ann.json("POST", "/auth/recovery-codes")
    await ann.json("DELETE", "/auth/totp")
    for about in (
        "An authenticator app was set up",
        "A recovery code was used, 9 are left",
        "The passkey “Key ring” was added",
        "New recovery codes were made",
        "The authenticator app was removed",
    ):
        letter = await mailbox.letter(stack, ann.email, about)
        body = letter.get_body(("plain",))
        assert body is not None and about in " ".join(body.get_content().split())


async def test_of_two_last_ways_one_stays(ann: Person, authenticator: Authenticator, owner_db: Database) -> None:
    """Both removed at once: each request sees the other one's passkey until it commits."""
    await reauthenticate(ann)
    first = (await add_passkey(ann, authenticator))["passkey"]
    second = (await add_passkey(ann, authenticator))["passkey"]
    await _forget_password(owner_db, ann)
    paths = [f"/auth/passkeys/{passkey['id']}" for passkey in (first, second)]
    answers = await asyncio.gather(*(ann.api.delete(path) for path in paths))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert refused.json()["type"] == "urn:doxie:LastWay"


async def test_recovery_codes_are_no_way_to_sign_in(
    ann: Person, authenticator: Authenticator, owner_db: Database
) -> None:
    await enable_totp(ann)
    passkey = (await add_passkey(ann, authenticator))["passkey"]
    await _forget_password(owner_db, ann)
    answer = await ann.api.delete(f"/auth/passkeys/{passkey['id']}")
    assert answer.json()["type"] == "urn:doxie:LastWay"


async def test_operators_reset_what_somebody_lost(
    ann: Person,
    browser: httpx.AsyncClient,
    authenticator: Authenticator,
    owner_db: Database,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operating, "get_settings", lambda: stack.settings)
    await enable_totp(ann)
    await add_passkey(ann, authenticator)
    run = CliRunner()
    nobody = await asyncio.to_thread(run.invoke, app, ["admin", "reset-factors", "nobody@example.org"])
    assert nobody.exit_code == 1
    done = await asyncio.to_thread(run.invoke, app, ["admin", "reset-factors", ann.email])
    assert done.exit_code == 0, done.output
    assert (await ann.api.get("/auth/me")).status_code == 401
    answer = await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
    assert "access_token" in answer.json()
    methods = (await browser.get("/auth/methods")).json()
    assert (methods["totp"], methods["passkeys"], methods["recovery_codes"]) == (False, [], 0)
    assert "account.factors_reset" in await account_log(owner_db, ann)
    await mailbox.letter(stack, ann.email, "An operator removed every second factor")


async def test_requests_of_one_account_at_once_never_deadlock(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator
) -> None:
    """Signing in with a code while codes are made anew and passkeys come and go: no order of locks fails."""
    _, codes = await enable_totp(ann)
    await add_passkey(ann, authenticator)
    tokens = [(await begin(ann, browser))["token"] for _ in range(4)]

    async def with_passkey() -> httpx.Response:
        asked = (await browser.post("/auth/passkeys/sign-in/options")).json()
        answer = {"challenge_id": asked["challenge_id"], "credential": authenticator.get(asked["options"])}
        return await browser.post("/auth/passkeys/sign-in", json=answer)

    answers = await asyncio.gather(
        *(finish(browser, token, recovery_code=code) for token, code in zip(tokens, codes, strict=False)),
        *(ann.api.post("/auth/recovery-codes") for _ in range(3)),
        *(with_passkey() for _ in range(3)),
        ann.api.post("/auth/passkeys/options"),
    )
    assert {answer.status_code for answer in answers} <= {200, 201, 401}
