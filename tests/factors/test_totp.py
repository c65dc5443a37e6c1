"""Authenticator apps and recovery codes."""

import asyncio
from uuid import UUID

import httpx
import pyotp
import pytest
from sqlalchemy import text

from infra.db import Database
from tests import mailbox
from tests.conftest import Stack
from tests.factors.acts import account_log, begin, enable_totp, finish, reauthenticate, time_passes
from tests.people import Person


async def test_an_account_without_a_second_factor_signs_in_as_ever(ann: Person, browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
    assert answer.json()["user"]["id"] == ann.user["id"]
    assert (await browser.get("/auth/me")).status_code == 200


async def test_a_code_is_asked_for_and_accepted_once(
    ann: Person, browser: httpx.AsyncClient, owner_db: Database
) -> None:
    app, codes = await enable_totp(ann)
    assert len(set(codes)) == 10
    asked = await begin(ann, browser)
    assert asked["methods"] == ["totp", "recovery_code"]
    assert asked["expires_in"] == 300
    assert (await browser.get("/auth/me")).status_code == 401
    await time_passes(owner_db, ann)
    code = app.now()
    answer = await finish(browser, asked["token"], totp=code)
    assert answer.json()["user"]["email"] == ann.email
    assert (await browser.get("/auth/me")).status_code == 200
    again = await begin(ann, browser)
    assert (await finish(browser, again["token"], totp=code)).status_code == 401
    assert "account.second_factor_refused" in await account_log(owner_db, ann)


async def test_the_code_that_confirmed_does_not_sign_in(ann: Person, browser: httpx.AsyncClient) -> None:
    await reauthenticate(ann)
    app = pyotp.TOTP((await ann.json("POST", "/auth/totp"))["secret"])
    code = app.now()
    await ann.json("POST", "/auth/totp/confirm", json={"code": code})
    asked = await begin(ann, browser)
    assert (await finish(browser, asked["token"], totp=code)).status_code == 401


async def test_of_many_who_present_one_code_one_signs_in(
    ann: Person, browser: httpx.AsyncClient, owner_db: Database
) -> None:
    app, codes = await enable_totp(ann)
    await time_passes(owner_db, ann)
    tokens = [(await begin(ann, browser))["token"] for _ in range(4)]
    code = app.now()
    answers = await asyncio.gather(*(finish(browser, token, totp=code) for token in tokens))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 3
    tokens = [(await begin(ann, browser))["token"] for _ in range(4)]
    answers = await asyncio.gather(*(finish(browser, token, recovery_code=codes[0]) for token in tokens))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 3


async def test_a_token_signs_in_once(ann: Person, browser: httpx.AsyncClient) -> None:
    _, codes = await enable_totp(ann)
    token = (await begin(ann, browser))["token"]
    answers = await asyncio.gather(*(finish(browser, token, recovery_code=code) for code in codes[:4]))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert (await ann.json("GET", "/auth/methods"))["recovery_codes"] == 9


async def test_a_token_has_five_tries(ann: Person, browser: httpx.AsyncClient) -> None:
    _, codes = await enable_totp(ann)
    token = (await begin(ann, browser))["token"]
    for _ in range(5):
        refused = await finish(browser, token, recovery_code="aaaa-bbbb-cccc-dddd")
        assert refused.json()["type"] == "urn:doxie:WrongFactor"
    spent = await finish(browser, token, recovery_code=codes[0])
    assert (spent.status_code, spent.json()["type"]) == (401, "urn:doxie:SignInExpired")


async def test_guessing_ends_however_many_sign_ins_are_begun(
    ann: Person, browser: httpx.AsyncClient, owner_db: Database, stack: Stack
) -> None:
    _, codes = await enable_totp(ann)
    for _ in range(3):
        token = (await begin(ann, browser))["token"]
        await asyncio.gather(*(finish(browser, token, recovery_code="aaaa-bbbb-cccc-dddd") for _ in range(5)))
    token = (await begin(ann, browser))["token"]
    refused = await finish(browser, token, recovery_code=codes[0])
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:doxie:TooManyGuesses")
    await mailbox.letter(stack, ann.email, "Many codes were tried")
    async with owner_db.transaction() as session:  # an hour later
        await session.execute(text("UPDATE factor_guesses SET since = since - interval '61 minutes'"))
    assert (await finish(browser, token, recovery_code=codes[0])).status_code == 200


async def test_a_token_is_of_its_own_type_and_ends(ann: Person, browser: httpx.AsyncClient, owner_db: Database) -> None:
    _, codes = await enable_totp(ann)
    token = (await begin(ann, browser))["token"]
    as_access = await browser.get("/auth/me", headers={"authorization": f"Bearer {token}"})
    assert as_access.status_code == 401
    access = ann.api.headers["authorization"].split()[1]
    assert (await finish(browser, access, recovery_code=codes[0])).json()["type"] == "urn:doxie:SignInExpired"
    async with owner_db.transaction() as session:
        await session.execute(text("UPDATE pending_sign_ins SET expires_at = now()"))
    assert (await finish(browser, token, recovery_code=codes[0])).json()["type"] == "urn:doxie:SignInExpired"


async def test_somebody_elses_codes_do_not_fit(
    ann: Person, bob: Person, browser: httpx.AsyncClient, owner_db: Database
) -> None:
    await enable_totp(ann)
    theirs, codes = await enable_totp(bob)
    await time_passes(owner_db, bob)
    token = (await begin(ann, browser))["token"]
    assert (await finish(browser, token, totp=theirs.now())).status_code == 401
    assert (await finish(browser, token, recovery_code=codes[0])).status_code == 401


async def test_recovery_codes_are_good_once_and_void_after_new_ones(
    ann: Person, browser: httpx.AsyncClient, owner_db: Database
) -> None:
    _, codes = await enable_totp(ann)
    token = (await begin(ann, browser))["token"]
    assert (await finish(browser, token, recovery_code=codes[0].upper().replace("-", " "))).status_code == 200
    token = (await begin(ann, browser))["token"]
    assert (await finish(browser, token, recovery_code=codes[0])).status_code == 401
    fresh = (await ann.json("POST", "/auth/recovery-codes"))["recovery_codes"]
    assert not set(fresh) & set(codes)
    assert (await finish(browser, token, recovery_code=codes[1])).status_code == 401
    assert (await finish(browser, token, recovery_code=fresh[1])).status_code == 200
    noted = await account_log(owner_db, ann)
    assert noted.count("account.recovery_code_used") == 2
    assert "account.recovery_codes_issued" in noted


async def test_changes_ask_who_it_is(ann: Person, owner_db: Database) -> None:
    for method, path in (("POST", "/auth/totp"), ("DELETE", "/auth/totp"), ("POST", "/auth/recovery-codes")):
        answer = await ann.api.request(method, path)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:doxie:ReauthenticationNeeded")
    wrong = await ann.api.post("/auth/reauthenticate", json={"password": "not the password"})
    assert wrong.status_code == 401
    assert (await ann.api.post("/auth/totp")).status_code == 403
    await reauthenticate(ann)
    assert (await ann.api.post("/auth/totp")).status_code == 201
    async with owner_db.transaction() as session:  # it holds for ten minutes
        await session.execute(text("UPDATE reauthentications SET proved_at = proved_at - interval '11 minutes'"))
    assert (await ann.api.post("/auth/totp")).status_code == 403


async def test_a_proof_holds_in_its_session_only(ann: Person, browser: httpx.AsyncClient) -> None:
    await reauthenticate(ann)
    await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
    assert (await browser.post("/auth/totp")).status_code == 403


async def test_with_a_second_factor_the_password_alone_proves_nothing(ann: Person, owner_db: Database) -> None:
    app, codes = await enable_totp(ann)
    async with owner_db.transaction() as session:
        await session.execute(text("DELETE FROM reauthentications"))
    alone = await ann.api.post("/auth/reauthenticate", json={"password": ann.password})
    assert alone.json()["type"] == "urn:doxie:WrongFactor"
    without = await ann.api.post("/auth/reauthenticate", json={"totp": app.now()})
    assert without.status_code == 422
    await reauthenticate(ann, recovery_code=codes[0])
    assert (await ann.api.delete("/auth/totp")).status_code == 204


async def test_without_the_app_nothing_is_asked_for(
    ann: Person, browser: httpx.AsyncClient, owner_db: Database
) -> None:
    await enable_totp(ann)
    assert (await ann.api.post("/auth/totp")).json()["type"] == "urn:doxie:TotpActive"
    assert (await ann.api.delete("/auth/totp")).status_code == 204
    methods = await ann.json("GET", "/auth/methods")
    assert (methods["totp"], methods["recovery_codes"]) == (False, 0)
    answer = await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
    assert "access_token" in answer.json()
    noted = await account_log(owner_db, ann)
    assert [act for act in noted if "totp" in act] == ["account.totp_enabled", "account.totp_disabled"]


async def test_an_unconfirmed_app_is_not_asked_for(ann: Person, browser: httpx.AsyncClient) -> None:
    await reauthenticate(ann)
    first = (await ann.json("POST", "/auth/totp"))["secret"]
    second = await ann.json("POST", "/auth/totp")
    assert second["secret"] != first
    assert second["uri"].startswith("otpauth://totp/Doxie:")
    wrong = await ann.api.post("/auth/totp/confirm", json={"code": pyotp.TOTP(first).now()})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:doxie:WrongCode")
    answer = await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
    assert "access_token" in answer.json()


async def test_nothing_is_stored_that_would_sign_in(ann: Person, owner_db: Database) -> None:
    app, codes = await enable_totp(ann)
    async with owner_db.transaction() as session:
        user = {"user_id": UUID(ann.user["id"])}
        sealed = await session.scalar(text("SELECT secret FROM totps WHERE user_id = :user_id"), user)
        digests = list(await session.scalars(text("SELECT digest FROM recovery_codes WHERE user_id = :user_id"), user))
    assert app.secret.encode() not in sealed
    assert app.byte_secret() not in sealed
    assert len(digests) == 10 and all(len(digest) == 32 for digest in digests)
    for code in codes:
        assert all(code.replace("-", "").encode() not in digest for digest in digests)


async def test_neither_secrets_nor_codes_are_logged(
    ann: Person, browser: httpx.AsyncClient, owner_db: Database, stack: Stack
) -> None:
    app, codes = await enable_totp(ann)
    await time_passes(owner_db, ann)
    token = (await begin(ann, browser))["token"]
    await finish(browser, token, recovery_code=codes[0])
    logs = "".join(path.read_text(errors="replace") for path in (stack.home / "logs").iterdir())
    assert "/auth/login/second-factor" in logs
    for secret in (app.secret, codes[0], token, ann.password):
        assert secret not in logs


@pytest.mark.parametrize(
    "proof",
    [{}, {"totp": "123456", "recovery_code": "aaaa-bbbb-cccc-dddd"}, {"totp": "1" * 41}, {"password": "x"}],
)
async def test_exactly_one_proof_is_wanted(ann: Person, browser: httpx.AsyncClient, proof: dict[str, str]) -> None:
    await enable_totp(ann)
    token = (await begin(ann, browser))["token"]
    assert (await finish(browser, token, **proof)).status_code == 422


async def test_answers_kept_for_repeated_requests_are_sealed(ann: Person, owner_db: Database) -> None:
    await reauthenticate(ann)
    headers = {"idempotency-key": "once"}
    first = await ann.api.post("/auth/totp", headers=headers)
    again = await ann.api.post("/auth/totp", headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    async with owner_db.transaction() as session:
        query = text("SELECT body FROM idempotency_keys WHERE user_id = :user_id")
        [kept] = await session.scalars(query, {"user_id": UUID(ann.user["id"])})
    assert first.json()["secret"].encode() not in kept
