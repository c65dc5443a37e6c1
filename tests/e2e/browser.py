"""A real browser for tests: the Chromium that is installed, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.people import Person

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"

# A busy machine needs a while.
expect.set_options(timeout=60_000)

# It looks nothing up, updates nothing and calls nobody.
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str:
    """Where Chromium is. Without one the test is skipped; where `CI` is set it fails."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is not None:
        return found
    missing = "browser tests need Chromium: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=executable(), args=_QUIET)
        yield started
        await started.close()


class Tab:
    """Somebody's browser, with one page of Doxie in it. What the page complains about fails the test at the end."""

    def __init__(self, context: BrowserContext, page: Page, base: str) -> None:
        self.context = context
        self.page = page
        self.base = base
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("request", lambda request: self._asked(request.url))

    async def go(self, path: str) -> None:
        """Open a place."""
        await self.page.goto(self.base + path)

    @property
    def editor(self) -> Any:
        """The text that is written."""
        return self.page.get_by_role("textbox", name="Document")

    @property
    def saved(self) -> Any:
        """What the page says about that."""
        return self.page.get_by_test_id("saved")

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and "Content Security Policy" in text:
            self.complaints.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.base, "http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.foreign.append(url)


@asynccontextmanager
async def tab(browser: Browser, base: str, **options: Any) -> AsyncIterator[Tab]:
    """A browser of its own: other cookies, other storage."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    opened = Tab(context, await context.new_page(), base)
    yield opened
    await context.close()
    assert not opened.complaints, opened.complaints
    assert not opened.foreign, opened.foreign


async def sign_in(opened: Tab, person: Person, path: str = "/") -> None:
    """Sign somebody in, who arrives at `path`."""
    await opened.go(f"/sign-in?next={path}")
    await opened.page.get_by_label("Email").fill(person.email)
    await opened.page.get_by_label("Password").fill(person.password)
    await opened.page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(opened.page.get_by_role("navigation", name="Documents")).to_be_attached()


async def write(opened: Tab, text: str) -> None:
    """Type at the end of the document."""
    await opened.editor.click()
    await opened.page.keyboard.press("Control+End")
    await opened.page.keyboard.type(text)


async def written(opened: Tab) -> str:
    """What the editor holds, without the names at the cursors of others."""
    text: str = await opened.editor.evaluate(
        """(editor) => {
            const copy = editor.cloneNode(true)
            copy.querySelectorAll('.caret').forEach((caret) => caret.remove())
            return copy.textContent
        }"""
    )
    return text


def place(person: Person) -> str:
    """Where their document is."""
    return f"/d/{person.document['id']}"
