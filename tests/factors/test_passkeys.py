"""Passkeys, with real ceremonies of an authenticator in software."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from infra.db import Database
from tests.factors.acts import account_log, add_passkey, begin, enable_totp, finish, reauthenticate
from tests.factors.authenticator import Authenticator, b64, unb64
from tests.people import Person

Json = dict[str, Any]


async def _ask(browser: httpx.AsyncClient) -> Json:
    asked: Json = (await browser.post("/auth/passkeys/sign-in/options")).raise_for_status().json()
    return asked


async def _sign_in(browser: httpx.AsyncClient, authenticator: Authenticator) -> httpx.Response:
    asked = await _ask(browser)
    return await _answer(browser, asked, authenticator.get(asked["options"]))


async def _answer(browser: httpx.AsyncClient, asked: Json, credential: Json) -> httpx.Response:
    answer = {"challenge_id": asked["challenge_id"], "credential": credential}
    return await browser.post("/auth/passkeys/sign-in", json=answer)


async def test_a_passkey_signs_in_with_nothing_else(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator, owner_db: Database
) -> None:
    await reauthenticate(ann)
    made = await add_passkey(ann, authenticator)
    assert len(made["recovery_codes"]) == 10
    assert (
        made["passkey"] | {"name": "Laptop", "backed_up": True, "transports": ["hybrid", "internal"]} == made["passkey"]
    )
    answer = await _sign_in(browser, authenticator)
    assert answer.json()["user"]["id"] == ann.user["id"]
    assert (await browser.get("/auth/me")).json()["email"] == ann.email
    [listed] = (await browser.get("/auth/passkeys")).json()["items"]
    assert listed["last_used_at"] is not None
    noted = await account_log(owner_db, ann)
    assert noted[-2:] == ["account.passkey_added", "account.signed_in"]


async def test_a_passkey_is_a_second_factor(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    asked = await begin(ann, browser)
    assert asked["methods"] == ["passkey", "recovery_code"]
    question = (await browser.post("/auth/login/second-factor/options", json={"token": asked["token"]})).json()
    [allowed] = question["options"]["allowCredentials"]
    assert unb64(allowed["id"]) == authenticator.credentials[0].id
    authenticator.verifies = False  # the password was the other factor
    passkey = {"challenge_id": question["challenge_id"], "credential": authenticator.get(question["options"])}
    assert (await finish(browser, asked["token"], passkey=passkey)).status_code == 200
    again = await begin(ann, browser)
    assert (await finish(browser, again["token"], passkey=passkey)).status_code == 401


async def test_a_passkey_proves_that_it_is_still_you(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator, owner_db: Database
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    async with owner_db.transaction() as session:
        await session.execute(text("DELETE FROM reauthentications"))
    asked = await ann.json("POST", "/auth/reauthenticate/options")
    passkey = {"challenge_id": asked["challenge_id"], "credential": authenticator.get(asked["options"])}
    # In another session of the same user the challenge is nobody's.
    assert (await _sign_in(browser, authenticator)).status_code == 200
    passkey["credential"] = authenticator.get(asked["options"])
    assert (await browser.post("/auth/reauthenticate", json={"passkey": passkey})).status_code == 401
    assert (await ann.json("POST", "/auth/reauthenticate", json={"passkey": passkey}))["expires_in"] == 600
    assert (await ann.api.post("/auth/totp")).status_code == 201


async def test_passkeys_are_named_and_removed(
    ann: Person, bob: Person, browser: httpx.AsyncClient, authenticator: Authenticator, owner_db: Database
) -> None:
    await reauthenticate(ann)
    first = (await add_passkey(ann, authenticator))["passkey"]
    second = await add_passkey(ann, authenticator, "Phone")
    assert second["recovery_codes"] is None
    path = f"/auth/passkeys/{first['id']}"
    assert (await ann.json("PATCH", path, json={"name": "Old laptop"}))["name"] == "Old laptop"
    await reauthenticate(bob)
    assert (await bob.api.patch(path, json={"name": "Mine"})).status_code == 404
    assert (await bob.api.delete(path)).status_code == 404
    asked = await _ask(browser)
    removed = authenticator.get(asked["options"], credential=authenticator.credentials[0])
    assert (await ann.api.delete(path)).status_code == 204
    assert (await _answer(browser, asked, removed)).status_code == 401
    names = [item["name"] for item in (await ann.json("GET", "/auth/passkeys"))["items"]]
    assert names == ["Phone"]
    methods = await ann.json("GET", "/auth/methods")
    assert (len(methods["passkeys"]), methods["recovery_codes"]) == (1, 10)
    noted = await account_log(owner_db, ann)
    assert noted.count("account.passkey_removed") == 1
    assert noted.count("account.passkey_renamed") == 1


async def test_registering_asks_who_it_is(ann: Person) -> None:
    assert (await ann.api.post("/auth/passkeys/options")).json()["type"] == "urn:doxie:ReauthenticationNeeded"


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"verifies": False},
    ],
)
async def test_a_registration_that_does_not_fit_is_refused(
    ann: Person, authenticator: Authenticator, wrong: Json
) -> None:
    await reauthenticate(ann)
    for name, value in wrong.items():
        setattr(authenticator, name, value)
    asked = await ann.json("POST", "/auth/passkeys/options")
    answer = {"challenge_id": asked["challenge_id"], "credential": authenticator.create(asked["options"])}
    refused = await ann.api.post("/auth/passkeys", json=answer)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:doxie:PasskeyInvalid")
    assert (await ann.json("GET", "/auth/passkeys"))["items"] == []


async def test_a_registration_is_for_its_session_and_once(
    ann: Person, bob: Person, authenticator: Authenticator, browser: httpx.AsyncClient
) -> None:
    await reauthenticate(ann)
    await reauthenticate(bob)
    asked = await ann.json("POST", "/auth/passkeys/options")
    answer = {"challenge_id": asked["challenge_id"], "credential": authenticator.create(asked["options"])}
    assert (await bob.api.post("/auth/passkeys", json=answer)).status_code == 422
    await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
    assert (await browser.post("/auth/passkeys", json=answer)).status_code == 422
    assert (await ann.api.post("/auth/passkeys", json=answer)).status_code == 201
    assert (await ann.api.post("/auth/passkeys", json=answer)).status_code == 422
    # The same credential for another challenge, whosever it is.
    for person in (ann, bob):
        asked = await person.json("POST", "/auth/passkeys/options")
        copied = {"challenge_id": asked["challenge_id"], "credential": _replayed(answer["credential"], asked)}
        assert (await person.api.post("/auth/passkeys", json=copied)).json()["type"] == "urn:doxie:PasskeyKnown"


def _replayed(credential: Json, asked: Json) -> Json:
    """An attestation "none" signs nothing, so a credential can be claimed by whoever saw its public key."""
    client_data = unb64(credential["response"]["clientDataJSON"]).decode()
    challenge = client_data.split('"challenge": "')[1].split('"')[0]
    renewed = b64(client_data.replace(challenge, asked["options"]["challenge"]).encode())
    return {**credential, "response": {**credential["response"], "clientDataJSON": renewed}}


@pytest.mark.parametrize("wrong", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"verifies": False}])
async def test_an_assertion_that_does_not_fit_is_refused(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator, owner_db: Database, wrong: Json
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    for name, value in wrong.items():
        setattr(authenticator, name, value)
    answer = await _sign_in(browser, authenticator)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:doxie:WrongFactor")
    assert "set-cookie" not in answer.headers
    assert (await account_log(owner_db, ann))[-1] == "account.passkey_refused"


def _other_signature(credential: Json) -> None:
    signature = bytearray(unb64(credential["response"]["signature"]))
    signature[-1] ^= 1
    credential["response"]["signature"] = b64(bytes(signature))


def _other_data(credential: Json) -> None:
    data = bytearray(unb64(credential["response"]["authenticatorData"]))
    data[-1] ^= 1
    credential["response"]["authenticatorData"] = b64(bytes(data))


def _other_user(credential: Json) -> None:
    credential["response"]["userHandle"] = b64(b"0" * 16)


def _no_user(credential: Json) -> None:
    del credential["response"]["userHandle"]


def _no_signature(credential: Json) -> None:
    del credential["response"]["signature"]


def _garbage(credential: Json) -> None:
    credential["response"]["authenticatorData"] = b64(b"\x9f" * 5000)


def _other_kind(credential: Json) -> None:
    renewed = unb64(credential["response"]["clientDataJSON"]).replace(b"webauthn.get", b"webauthn.create")
    credential["response"]["clientDataJSON"] = b64(renewed)


@pytest.mark.parametrize(
    "tamper", [_other_signature, _other_data, _other_user, _no_user, _no_signature, _garbage, _other_kind]
)
async def test_a_tampered_assertion_is_refused(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator, tamper: Callable[[Json], None]
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    asked = await _ask(browser)
    credential = authenticator.get(asked["options"])
    tamper(credential)
    assert (await _answer(browser, asked, credential)).status_code == 401
    # The challenge is used up: the untampered answer comes too late.
    assert (await _answer(browser, asked, authenticator.get(asked["options"]))).status_code == 401


async def test_a_challenge_is_answered_once(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    asked = await _ask(browser)
    credentials = [authenticator.get(asked["options"]) for _ in range(6)]
    answers = await asyncio.gather(*(_answer(browser, asked, credential) for credential in credentials))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5


async def test_a_challenge_ends_after_five_minutes(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator, owner_db: Database
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    asked = await _ask(browser)
    async with owner_db.transaction() as session:
        statement = text(
            "UPDATE passkey_challenges SET expires_at = expires_at - interval '301 seconds' WHERE id = :id"
        )
        await session.execute(statement, {"id": UUID(asked["challenge_id"])})
    assert (await _answer(browser, asked, authenticator.get(asked["options"]))).status_code == 401


async def test_a_challenge_for_one_purpose_serves_no_other(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    token = (await begin(ann, browser))["token"]
    public = await _ask(browser)
    passkey = {"challenge_id": public["challenge_id"], "credential": authenticator.get(public["options"])}
    assert (await finish(browser, token, passkey=passkey)).status_code == 401
    second = (await browser.post("/auth/login/second-factor/options", json={"token": token})).json()
    assert (await _answer(browser, second, authenticator.get(second["options"]))).status_code == 401


async def test_somebody_elses_passkey_is_no_second_factor(
    ann: Person, bob: Person, browser: httpx.AsyncClient, authenticator: Authenticator
) -> None:
    await reauthenticate(bob)
    await add_passkey(bob, authenticator)
    await enable_totp(ann)
    token = (await begin(ann, browser))["token"]
    asked = (await browser.post("/auth/login/second-factor/options", json={"token": token})).json()
    passkey = {"challenge_id": asked["challenge_id"], "credential": authenticator.get(asked["options"])}
    assert (await finish(browser, token, passkey=passkey)).status_code == 401
    mine = await ann.json("POST", "/auth/reauthenticate/options")
    passkey = {"challenge_id": mine["challenge_id"], "credential": authenticator.get(mine["options"])}
    assert (await ann.api.post("/auth/reauthenticate", json={"passkey": passkey})).status_code == 401


async def test_another_key_does_not_pass_for_a_registered_one(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    authenticator.credentials[0].key = ec.generate_private_key(ec.SECP256R1())
    assert (await _sign_in(browser, authenticator)).status_code == 401


async def test_a_count_that_goes_back_shows_a_copy(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator, owner_db: Database
) -> None:
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    for _ in range(2):
        assert (await _sign_in(browser, authenticator)).status_code == 200
    authenticator.credentials[0].count = 0
    assert (await _sign_in(browser, authenticator)).status_code == 401
    async with owner_db.transaction() as session:
        query = text("""
            SELECT details ->> 'reason' FROM account_events
            WHERE user_id = :user_id AND action = 'account.passkey_refused'
        """)
        reason = await session.scalar(query, {"user_id": UUID(ann.user["id"])})
    assert reason == "the sign count went from 2 to 1: there is a copy"


async def test_an_authenticator_that_does_not_count_is_accepted(
    ann: Person, browser: httpx.AsyncClient, authenticator: Authenticator
) -> None:
    authenticator.counts = False
    await reauthenticate(ann)
    await add_passkey(ann, authenticator)
    for _ in range(2):
        assert (await _sign_in(browser, authenticator)).status_code == 200


@pytest.mark.parametrize("depth", [1000, 40000])
async def test_hostile_attestations_hurt_nobody(ann: Person, authenticator: Authenticator, depth: int) -> None:
    await reauthenticate(ann)
    asked = await ann.json("POST", "/auth/passkeys/options")
    credential = authenticator.create(asked["options"])
    credential["response"]["attestationObject"] = b64(b"\x81" * depth)
    answer = {"challenge_id": asked["challenge_id"], "credential": credential}
    assert (await ann.api.post("/auth/passkeys", json=answer)).status_code == 422
    assert (await ann.api.get("/auth/me")).status_code == 200
