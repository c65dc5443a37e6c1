"""Callbacks that are not what they seem, at a real provider."""

from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI
from sqlalchemy import text

from infra import oidc
from infra.db import Database
from infra.oidc import AnswerRefused, ProviderDown, Providers
from infra.oidc.fence import Fence, connections
from infra.settings import OidcProvider
from tests.conftest import Stack
from tests.federation.conftest import NewBrowser
from tests.federation.provider import SECRET, ProviderProcess, pass_through, query_of
from tests.federation.test_sign_in import sign_in, somebody, start
from tests.security.processes import api_process


def changed(url: str, **parameters: str | None) -> str:
    """An address with some of its parameters changed, or taken out."""
    query = query_of(url) | parameters
    kept = {name: value for name, value in query.items() if value is not None}
    return urlsplit(url)._replace(query=urlencode(kept)).geturl()


async def _refused(browser: httpx.AsyncClient, url: str, kind: str, status: int = 401) -> None:
    answer = await browser.get(url)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:doxie:{kind}"), answer.text
    assert "doxie_access" not in str(answer.headers.get_list("set-cookie"))
    assert (await browser.get("/auth/me")).status_code == 401


async def test_a_token_for_another_nonce_is_refused(browser: httpx.AsyncClient) -> None:
    address = await start(browser, "acme")
    back = await pass_through(browser, changed(address, nonce="n" * 43), somebody())
    await _refused(browser, back, "SignInRefused")


async def test_a_token_without_a_nonce_is_refused(browser: httpx.AsyncClient) -> None:
    address = await start(browser, "acme")
    back = await pass_through(browser, changed(address, nonce=None), somebody())
    await _refused(browser, back, "SignInRefused")


async def test_a_code_of_another_sign_in_is_refused(browser: httpx.AsyncClient, new_browser: NewBrowser) -> None:
    """A stolen code, put into a callback of one's own: PKCE, then the nonce, give it away."""
    victim = new_browser()
    stolen = query_of(await pass_through(victim, await start(victim, "acme"), somebody()))["code"]
    back = await pass_through(browser, await start(browser, "acme"), somebody())
    await _refused(browser, changed(back, code=stolen), "SignInRefused")


async def test_a_callback_works_once(browser: httpx.AsyncClient, new_browser: NewBrowser) -> None:
    back = await pass_through(browser, await start(browser, "acme"), somebody())
    thief = new_browser()
    thief.cookies.update(browser.cookies)
    assert (await browser.get(back)).status_code == 303
    await _refused(thief, back, "ErrandForeign")


async def test_a_callback_works_in_its_browser_only(browser: httpx.AsyncClient, new_browser: NewBrowser) -> None:
    """Signing a victim in to the attacker's account: the victim's browser began nothing, or something else."""
    attackers = await pass_through(browser, await start(browser, "acme"), somebody())
    victim = new_browser()
    await _refused(victim, attackers, "ErrandForeign")
    mine = await pass_through(victim, await start(victim, "acme"), somebody())
    await _refused(victim, attackers, "ErrandForeign")
    # The refusal has not spoilt what the victim began.
    assert (await victim.get(mine)).status_code == 303


@pytest.mark.parametrize("state", [None, "", "x", "é", "x" * 3999])
async def test_another_state_is_refused(browser: httpx.AsyncClient, state: str | None) -> None:
    back = await pass_through(browser, await start(browser, "acme"), somebody())
    await _refused(browser, changed(back, state=state), "ErrandForeign")


async def test_a_cookie_that_is_not_ours_is_refused(browser: httpx.AsyncClient) -> None:
    back = await pass_through(browser, await start(browser, "acme"), somebody())
    cookie = browser.cookies["__Host-doxie_errand"]
    header, payload, signature = cookie.split(".")
    for forged in ("", "x", f"{header}.{payload}.{signature[::-1]}", f"{header}.{payload}."):
        browser.cookies.clear()
        browser.cookies.set("__Host-doxie_errand", forged, domain="doxie.test")
        await _refused(browser, back, "ErrandForeign")


async def test_an_errand_ends_after_ten_minutes(browser: httpx.AsyncClient, owner_db: Database) -> None:
    back = await pass_through(browser, await start(browser, "acme"), somebody())
    async with owner_db.transaction() as session:
        await session.execute(text("UPDATE federation_errands SET expires_at = expires_at - interval '601 seconds'"))
    await _refused(browser, back, "ErrandForeign")


async def test_providers_are_not_mixed_up(
    browser: httpx.AsyncClient, new_browser: NewBrowser, acme: ProviderProcess, zeta: ProviderProcess
) -> None:
    """An honest provider's code must not be sent to the other one, whatever a browser is told."""
    back = await pass_through(browser, await start(browser, "acme"), somebody())
    swapped = back.replace("/oidc/acme/", "/oidc/zeta/")
    await _refused(browser, swapped, "ErrandForeign")
    for iss in (zeta.issuer, "", None, acme.issuer + "/"):
        window = new_browser()
        back = await pass_through(window, await start(window, "acme"), somebody())
        assert query_of(back)["iss"] == acme.issuer
        await _refused(window, changed(back, iss=iss), "SignInRefused")


async def test_a_no_of_the_provider_is_a_no(browser: httpx.AsyncClient, acme: ProviderProcess) -> None:
    state = query_of(await start(browser, "acme"))["state"]
    answer = {"state": state, "iss": acme.issuer, "error": "access_denied", "error_description": "<b>no</b>"}
    back = f"{acme.callback}?{urlencode(answer)}"
    await _refused(browser, back, "SignInRefused")


async def test_a_token_for_another_client_is_refused(
    browser: httpx.AsyncClient, acme: ProviderProcess, zeta: ProviderProcess
) -> None:
    """A real token of the same provider, for the same person and nonce, but for another site."""
    async with httpx.AsyncClient(trust_env=False) as http:
        configuration = (await http.get(f"{acme.issuer}/.well-known/openid-configuration")).json()
        asked = {
            "client_id": "another",
            "redirect_uri": "https://another.test/callback",
            "response_type": "code",
            "scope": "openid email",
            "state": "state",
            "nonce": "nonce",
            "code_challenge": create_s256_code_challenge("v" * 43),
            "code_challenge_method": "S256",
        }
        address = f"{configuration['authorization_endpoint']}?{urlencode(asked)}"
        code = query_of(await pass_through(http, address, somebody()))["code"]
        wanted = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked["redirect_uri"],
            "code_verifier": "v" * 43,
        }
        answer = await http.post(
            configuration["token_endpoint"], data=wanted, auth=("another", SECRET.replace(" ", "+"))
        )
        assert answer.status_code == 200, answer.text
        id_token = answer.json()["id_token"]
        keys = (await http.get(configuration["jwks_uri"])).json()
        others = (await http.get(f"{zeta.issuer}/jwks")).json()
    right = {"issuer": acme.issuer, "client_id": "another", "nonce": "nonce"}
    assert oidc.verify(id_token, keys, **right)["aud"] == "another"
    for wrong in ({"client_id": "doxie-acme"}, {"issuer": zeta.issuer}, {"nonce": "other"}):
        with pytest.raises(AnswerRefused):
            oidc.verify(id_token, keys, **(right | wrong))
    with pytest.raises(AnswerRefused):
        oidc.verify(id_token, others, **right)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "",
        "notes",
        "/a\r\nb: c",
        "/%0a#x\n",
    ],
)
async def test_people_come_back_to_this_site_only(browser: httpx.AsyncClient, target: str) -> None:
    answer = await browser.get("/auth/oidc/acme/start", params={"return_to": target})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:doxie:ReturnRefused")


async def test_a_provider_that_is_down_is_said_to_be(stack: Stack) -> None:
    async with ProviderProcess("acme") as provider:
        changes = {"public_url": "https://doxie.test", "oidc_providers": [provider.settings]}
        async with api_process(stack.settings, **changes) as process:
            browser = _browser(process.app)
            address = await start(browser, "acme")
            back = await pass_through(browser, address, somebody())
            await provider.stop()
            await _refused(browser, back, "ProviderUnavailable", 503)
            await browser.aclose()
        async with api_process(stack.settings, **changes) as process:
            browser = _browser(process.app)
            answer = await browser.get("/auth/oidc/acme/start")
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:doxie:ProviderUnavailable")
            assert answer.headers["retry-after"] == "1"
            await browser.aclose()


async def test_requests_go_to_the_provider_only(acme: ProviderProcess, zeta: ProviderProcess) -> None:
    inner = connections()
    async with httpx.AsyncClient(transport=Fence(inner, acme.settings)) as client:
        assert (await client.get(f"{acme.issuer}/jwks")).status_code == 200
        for url in (
            f"{zeta.issuer}/jwks",
            "http://169.254.169.254/latest",
            "https://evil.example/",
            "ftp://127.0.0.1/",
        ):
            with pytest.raises((ProviderDown, httpx.UnsupportedProtocol)):
                await client.get(url)
    await inner.aclose()


async def test_a_provider_that_calls_itself_something_else_is_none(acme: ProviderProcess) -> None:
    posing = OidcProvider.model_validate({**acme.settings.model_dump(), "issuer": f"{acme.issuer}/"})
    providers = Providers()
    with pytest.raises(ProviderDown, match="calls itself"):
        await providers.metadata(posing)
    await providers.close()


def _browser(site: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(site, raise_app_exceptions=False)
    mounts = {"https://doxie.test": transport}
    return httpx.AsyncClient(base_url="https://doxie.test/api/v1", mounts=mounts, timeout=30, trust_env=False)


async def test_neither_codes_nor_secrets_are_logged(
    browser: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    address = await start(browser, "acme")
    back = await pass_through(browser, address, somebody())
    assert (await browser.get(back)).status_code == 303
    assert (await sign_in(browser, "acme", "unverified-nobody@example.com")).status_code in {303, 403}
    written = "".join(capfd.readouterr())
    for secret in (query_of(back)["code"], query_of(address)["state"], query_of(address)["nonce"], SECRET):
        assert secret not in written
