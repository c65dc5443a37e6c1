"""Signing in at a real provider, over its own pages."""

import secrets
from urllib.parse import parse_qsl, urlsplit

import httpx
import pyotp
import pytest

from infra.db import Database
from tests.conftest import Stack
from tests.factors.acts import account_log, enable_totp, reauthenticate
from tests.federation.conftest import NewBrowser
from tests.federation.provider import ProviderProcess, pass_through, query_of
from tests.people import Person


def somebody(domain: str = "example.com") -> str:
    """A login at the providers, which is an address."""
    return f"sam-{secrets.token_hex(6)}@{domain}"


async def start(browser: httpx.AsyncClient, provider: str, return_to: str = "/notes", **more: str) -> str:
    """Where a browser is sent to sign in."""
    answer = await browser.get(f"/auth/oidc/{provider}/start", params={"return_to": return_to, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def sign_in(browser: httpx.AsyncClient, provider: str, login: str) -> httpx.Response:
    """Sign in there; what the site answers in the end."""
    back = await pass_through(browser, await start(browser, provider), login)
    return await browser.get(back)


@pytest.mark.parametrize("provider", ["acme", "zeta"])
async def test_an_account_is_opened_and_signed_in_to(
    browser: httpx.AsyncClient, new_browser: NewBrowser, provider: str
) -> None:
    login = somebody()
    answer = await sign_in(browser, provider, login)
    assert (answer.status_code, answer.headers["location"]) == (303, "/notes")
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "__Host-doxie_access",
        "__Host-doxie_refresh",
        "__Host-doxie_errand",
        "__Host-doxie_device",
    }
    assert all("httponly" in cookie.lower() and "secure" in cookie.lower() for cookie in cookies)
    me = (await browser.get("/auth/me")).json()
    assert (me["email"], me["name"]) == (login, login.partition("@")[0])
    methods = (await browser.get("/auth/methods")).json()
    assert (methods["password"], [item["provider"] for item in methods["identities"]]) == (False, [provider])
    elsewhere = new_browser()
    assert (await sign_in(elsewhere, provider, login)).status_code == 303
    assert (await elsewhere.get("/auth/me")).json()["id"] == me["id"]


async def test_the_providers_are_listed(browser: httpx.AsyncClient) -> None:
    listed = (await browser.get("/auth/oidc")).json()["items"]
    assert listed == [{"id": "acme", "name": "Acme"}, {"id": "zeta", "name": "Zeta"}]
    assert (await browser.get("/auth/oidc/nobody/start")).status_code == 404


async def test_the_same_name_at_two_providers_is_two_people(
    browser: httpx.AsyncClient, new_browser: NewBrowser
) -> None:
    login = somebody()
    assert (await sign_in(browser, "acme", login)).status_code == 303
    answer = await sign_in(new_browser(), "zeta", login)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:doxie:SignInToLink")


async def test_an_account_with_a_password_is_never_taken_over(ann: Person, browser: httpx.AsyncClient) -> None:
    answer = await sign_in(browser, "acme", ann.email)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:doxie:SignInToLink")
    assert (await browser.get("/auth/me")).status_code == 401


async def test_an_address_that_nobody_vouches_for_opens_nothing(
    ann: Person, browser: httpx.AsyncClient, new_browser: NewBrowser
) -> None:
    for login in (f"unverified-{somebody()}", f"unverified-{ann.email}"):
        answer = await sign_in(new_browser(), "zeta", login)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:doxie:EmailUnverified")


async def test_a_browser_that_is_refused_comes_back_to_the_page(ann: Person, browser: httpx.AsyncClient) -> None:
    html = {"accept": "text/html,*/*;q=0.8"}
    back = await pass_through(browser, await start(browser, "acme"), ann.email)
    for kind in ("SignInToLink", "ErrandForeign"):  # the callback works once
        answer = await browser.get(back, headers=html)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?problem={kind}")
        assert "doxie_access" not in str(answer.headers.get_list("set-cookie"))
    gone = await browser.get("/auth/oidc/nobody/start", headers=html)
    assert (gone.status_code, gone.headers["location"]) == (303, "/sign-in?problem=ProviderUnknown")


async def _signed_in(ann: Person, browser: httpx.AsyncClient) -> None:
    await browser.post("/auth/login", json={"email": ann.email, "password": ann.password}, headers=_SAME)


_SAME = {"sec-fetch-site": "same-origin"}


async def test_linking_unlinking_and_the_last_way(
    ann: Person, browser: httpx.AsyncClient, new_browser: NewBrowser, owner_db: Database
) -> None:
    await _signed_in(ann, browser)
    wish = {"return_to": "/settings"}
    refused = await browser.post("/auth/oidc/acme/link", json=wish, headers=_SAME)
    assert refused.json()["type"] == "urn:doxie:ReauthenticationNeeded"
    await browser.post("/auth/reauthenticate", json={"password": ann.password}, headers=_SAME)
    begun = (await browser.post("/auth/oidc/acme/link", json=wish, headers=_SAME)).json()
    login = f"unverified-{somebody('elsewhere.example')}"  # the address decides nothing here
    back = await pass_through(browser, begun["authorization_url"], login)
    linked = await browser.get(back)
    assert (linked.status_code, linked.headers["location"]) == (303, "/settings")
    elsewhere = new_browser()
    assert (await sign_in(elsewhere, "acme", login)).status_code == 303
    assert (await elsewhere.get("/auth/me")).json()["id"] == ann.user["id"]

    [identity] = (await browser.get("/auth/identities")).json()["items"]
    path = f"/auth/identities/{identity['id']}"
    assert (await elsewhere.delete(path, headers=_SAME)).json()["type"] == "urn:doxie:ReauthenticationNeeded"
    assert (await browser.delete(path, headers=_SAME)).status_code == 204
    assert (await browser.delete(path, headers=_SAME)).status_code == 404
    again = await sign_in(new_browser(), "acme", login)
    assert again.json()["type"] == "urn:doxie:EmailUnverified"
    noted = await account_log(owner_db, ann)
    assert [act for act in noted if "identity" in act] == ["account.identity_linked", "account.identity_unlinked"]


async def test_the_last_way_to_sign_in_stays(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "acme", somebody())
    [identity] = (await browser.get("/auth/identities")).json()["items"]
    # Who opens an account has proved with it whose it is.
    answer = await browser.delete(f"/auth/identities/{identity['id']}", headers=_SAME)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:doxie:LastWay")


async def test_only_a_provider_that_asked_just_now_proves_who_it_is(
    browser: httpx.AsyncClient, owner_db: Database
) -> None:
    login = somebody()
    await sign_in(browser, "acme", login)
    # It knows the browser and asks nothing: whoever sits there now would be signed in just the same.
    silent = await pass_through(browser, await start(browser, "acme"), "nobody is asked")
    assert (await browser.get(silent)).status_code == 303
    refused = await browser.post("/auth/totp", headers=_SAME)
    assert refused.json()["type"] == "urn:doxie:ReauthenticationNeeded"
    asked = await pass_through(browser, await start(browser, "acme", fresh="true"), login)
    assert (await browser.get(asked)).status_code == 303
    assert (await browser.post("/auth/totp", headers=_SAME)).status_code == 201


async def test_an_identity_is_linked_with_one_account(
    ann: Person, bob: Person, browser: httpx.AsyncClient, new_browser: NewBrowser
) -> None:
    login = somebody()
    answers = []
    for person, window in ((ann, browser), (bob, new_browser())):
        await _signed_in(person, window)
        await window.post("/auth/reauthenticate", json={"password": person.password}, headers=_SAME)
        begun = (await window.post("/auth/oidc/zeta/link", json={}, headers=_SAME)).json()
        answers.append(await window.get(await pass_through(window, begun["authorization_url"], login)))
    assert [answer.status_code for answer in answers] == [303, 409]
    assert answers[1].json()["type"] == "urn:doxie:IdentityTaken"


async def test_linking_ends_with_the_session(ann: Person, browser: httpx.AsyncClient) -> None:
    await _signed_in(ann, browser)
    await browser.post("/auth/reauthenticate", json={"password": ann.password}, headers=_SAME)
    begun = (await browser.post("/auth/oidc/zeta/link", json={}, headers=_SAME)).json()
    back = await pass_through(browser, begun["authorization_url"], somebody())
    await browser.post("/auth/logout", headers=_SAME)
    answer = await browser.get(back)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:doxie:ErrandForeign")


async def test_a_second_factor_follows(ann: Person, browser: httpx.AsyncClient, new_browser: NewBrowser) -> None:
    await _signed_in(ann, browser)
    await browser.post("/auth/reauthenticate", json={"password": ann.password}, headers=_SAME)
    begun = (await browser.post("/auth/oidc/acme/link", json={}, headers=_SAME)).json()
    login = somebody()
    await browser.get(await pass_through(browser, begun["authorization_url"], login))
    _, codes = await enable_totp(ann)
    elsewhere = new_browser()
    answer = await sign_in(elsewhere, "acme", login)
    target = urlsplit(answer.headers["location"])
    assert target.path == "/notes"
    asked = dict(parse_qsl(target.fragment))
    assert asked["methods"] == "totp,recovery_code"
    assert (await elsewhere.get("/auth/me")).status_code == 401
    proof = {"token": asked["second_factor"], "recovery_code": codes[0]}
    assert (await elsewhere.post("/auth/login/second-factor", json=proof)).status_code == 200
    assert (await elsewhere.get("/auth/me")).json()["id"] == ann.user["id"]


async def test_whoever_signs_in_elsewhere_can_have_a_second_factor(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "zeta", somebody())
    app = pyotp.TOTP((await browser.post("/auth/totp", headers=_SAME)).json()["secret"])
    confirmed = await browser.post("/auth/totp/confirm", json={"code": app.now()}, headers=_SAME)
    assert len(confirmed.json()["recovery_codes"]) == 10


async def test_new_keys_of_the_provider_are_found(
    browser: httpx.AsyncClient, new_browser: NewBrowser, acme: ProviderProcess
) -> None:
    login = somebody()
    assert (await sign_in(browser, "acme", login)).status_code == 303
    await acme.configure()
    assert (await sign_in(new_browser(), "acme", login)).status_code == 303


async def test_the_address_of_the_provider_asks_for_what_it_should(browser: httpx.AsyncClient) -> None:
    asked = query_of(await start(browser, "acme"))
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "https://doxie.test/api/v1/auth/oidc/acme/callback"
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))


async def test_a_password_account_reauthenticates_with_the_password(ann: Person, stack: Stack) -> None:
    """Having signed in just now is proof only for whoever has nothing else to prove it with."""
    async with httpx.AsyncClient(base_url=stack.api) as api:
        await api.post("/auth/login", json={"email": ann.email, "password": ann.password})
        assert (await api.post("/auth/totp")).status_code == 403
    await reauthenticate(ann)
    assert (await ann.api.post("/auth/totp")).status_code == 201
