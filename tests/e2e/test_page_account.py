"""The page of an account: how one signs in, and what comes by mail."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser, Page, Route, expect

from tests.collab.world import free_port
from tests.conftest import Stack
from tests.e2e.browser import sign_in, tab
from tests.federation.provider import ProviderProcess, pass_through
from tests.people import Person
from tests.security.processes import api_process


@pytest.fixture
async def acme() -> AsyncIterator[ProviderProcess]:
    """A provider that knows the site."""
    async with ProviderProcess("acme", site=f"http://localhost:{free_port()}") as provider:
        yield provider


@pytest.fixture
async def site(stack: Stack, acme: ProviderProcess) -> AsyncIterator[str]:
    """The API under a name, which passkeys need, where people can sign in at the provider, too."""
    changes: dict[str, Any] = {"public_url": acme.site, "oidc_providers": [acme.settings]}
    async with api_process(stack.settings, **changes) as process, _listening(process.app, acme.site):
        yield acme.site


@asynccontextmanager
async def _listening(app: Any, url: str) -> AsyncIterator[None]:
    port = int(url.rsplit(":", 1)[1])
    server = uvicorn.Server(uvicorn.Config(app, host="localhost", port=port, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:
            await asyncio.sleep(0.05)
    yield
    server.should_exit = server.force_exit = True
    await serving


async def test_passkeys_come_and_go(chromium: Browser, site: str, ann: Person) -> None:
    async with tab(chromium, site) as one:
        page = one.page
        await _authenticator(page)
        await sign_in(one, ann, "/account")
        await page.get_by_role("button", name="Add a passkey").click()
        await _prove(page, ann)
        await page.get_by_role("button", name="I have kept them").click()
        await page.get_by_label("Name of Passkey").fill("Laptop")
        await page.get_by_label("Name of Passkey").press("Enter")
        laptop = page.get_by_role("list", name="Passkeys").get_by_role("listitem")
        await expect(laptop.get_by_label("Name of Laptop")).to_be_visible()
        await page.get_by_role("button", name="Ann", exact=True).click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await page.get_by_role("button", name="Use a passkey").click()
        await expect(page.get_by_role("navigation", name="Documents")).to_be_attached()
        await one.go("/account")
        await expect(laptop).to_contain_text("used")
        await page.get_by_role("button", name="Remove Laptop").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        proof = page.get_by_role("dialog", name="Is it still you?")
        await expect(proof.get_by_label("Recovery code")).to_be_visible()  # the password alone is not enough now
        await proof.get_by_role("button", name="Use a passkey").click()
        await expect(laptop).to_have_count(0)
        assert (await ann.json("GET", "/auth/passkeys"))["items"] == []


async def test_an_account_elsewhere_is_connected(
    chromium: Browser, site: str, acme: ProviderProcess, ann: Person
) -> None:
    login = f"ann-{secrets.token_hex(6)}@example.com"

    async def on_its_pages(route: Route) -> None:
        """The pages of the provider are not what is tested, and ask other sites for their fonts."""
        await route.fulfill(status=303, headers={"location": await back_from(route.request.url)})

    async def on_the_way(route: Route) -> None:
        """What redirects there is met here: where it leads to is not shown to routes."""
        answer = await route.fetch(max_redirects=0)
        headers = {**answer.headers, "location": await back_from(answer.headers["location"])}
        await route.fulfill(status=answer.status, headers=headers)

    async def back_from(address: str) -> str:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as walker:
            return await pass_through(walker, address, login)

    # A worker in the browser would ask for pages past what is routed here.
    async with tab(chromium, site, service_workers="block") as one:
        page = one.page
        await page.route(f"{acme.issuer}/**", on_its_pages)
        await page.route("**/api/v1/auth/oidc/acme/start?*", on_the_way)
        await sign_in(one, ann, "/account")
        there = page.get_by_role("region", name="Connected accounts").get_by_role("listitem")
        await expect(there).to_contain_text("Not connected")
        await there.get_by_role("button", name="Connect").click()
        await _prove(page, ann)
        await expect(there).to_contain_text(login)
        await page.get_by_role("button", name="Ann", exact=True).click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await page.get_by_role("link", name="Acme").click()
        await expect(page.get_by_role("button", name="Ann", exact=True)).to_be_visible()
        await one.go("/account")
        await there.get_by_role("button", name="Disconnect").click()
        await _prove(page, ann)
        await expect(there).to_contain_text("Not connected")


async def test_what_is_visited_is_asked_for_once(
    chromium: Browser, site: str, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """Although the worker in the browser asks beforehand: twice would be too often for who returns from a provider."""
    path = f"/api/v1/documents/{ann.document_id}/pipeline"
    async with tab(chromium, site) as one:
        await sign_in(one, ann)
        await one.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        await one.go(path)
        await expect(one.page.locator("body")).to_contain_text("items")
    assert sum(path in str(record.msg) for record in caplog.records) == 1


async def test_mail_comes_as_one_likes(chromium: Browser, stack: Stack, ann: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, "/account")
        mail = page.get_by_role("region", name="Notifications by mail")
        await mail.get_by_label("Mails come").select_option("Once a day, together")
        await expect(page.get_by_text("Saved.")).to_be_visible()
        await mail.get_by_label("Those of Acme").select_option("At once")
        await page.reload()
        await expect(mail.get_by_label("Mails come")).to_have_value("daily")
        await expect(mail.get_by_label("Those of Acme")).to_have_value("immediate")
        await mail.get_by_label("Mails come").select_option("Never")
        await expect(mail.get_by_label("Those of Acme")).to_have_count(0)
        assert (await ann.json("GET", "/notifications/mailing"))["mailing"] == "off"


async def _authenticator(page: Page) -> None:
    """A device that says yes to whatever it is asked."""
    devices = await page.context.new_cdp_session(page)
    await devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


async def _prove(page: Page, person: Person) -> None:
    proof = page.get_by_role("dialog", name="Is it still you?")
    await proof.get_by_label("Your password").fill(person.password)
    await proof.get_by_role("button", name="Continue").click()
