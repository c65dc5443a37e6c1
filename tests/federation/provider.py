"""A real provider in a process of its own, and a browser that signs in on its pages."""

import asyncio
import html
import json
import re
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

from infra.settings import OidcProvider
from tests.clients import node

HERE: Final = Path(__file__).parent
SITE: Final = "https://doxie.test"
SECRET: Final = "a secret that provider and client share"


class ProviderProcess:
    """`async with ProviderProcess("acme") as provider:` starts one; `settings` is how to sign in there."""

    def __init__(self, name: str, *, conform: bool = True, algorithm: str = "RS256", site: str = SITE) -> None:
        self.name = name
        self.site = site
        self.issuer = ""
        self._configuration = {"conform": conform, "algorithm": algorithm}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def settings(self) -> OidcProvider:
        """As operators configure it."""
        return OidcProvider.model_validate(
            {
                "id": self.name,
                "name": self.name.title(),
                "issuer": self.issuer,
                "client_id": f"doxie-{self.name}",
                "client_secret": SECRET,
            }
        )

    @property
    def callback(self) -> str:
        """Where it sends people back to."""
        return f"{self.site}/api/v1/auth/oidc/{self.name}/callback"

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(node.install, HERE)
        self._process = await asyncio.create_subprocess_exec(
            node.executable(), str(HERE / "provider.mjs"), stdin=-1, stdout=-1, stderr=-3, cwd=HERE
        )
        self.issuer = (await self._heard())["issuer"]
        await self.configure()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """End it: its port answers no more."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def configure(self) -> None:
        """Give it clients and new keys; the former keys are gone."""
        mine = {
            "client_id": f"doxie-{self.name}",
            "client_secret": SECRET,
            "redirect_uris": [self.callback],
        }
        other = {
            "client_id": "another",
            "client_secret": SECRET,
            "redirect_uris": ["https://another.test/callback"],
        }
        assert self._process is not None and self._process.stdin is not None
        wanted = {**self._configuration, "clients": [mine, other]}
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        await self._process.stdin.drain()
        assert await self._heard() == {"ok": True}

    async def _heard(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        while not (line := await self._process.stdout.readline()).startswith(b"{"):
            assert line, "the provider ended"
        heard: dict[str, Any] = json.loads(line)
        return heard


async def pass_through(browser: httpx.AsyncClient, url: str, login: str) -> str:
    """Visit a provider, sign in and agree on its pages; the address it sends the browser back to."""
    answer = await browser.get(url)
    for _ in range(12):
        if answer.is_redirect:
            url = urljoin(str(answer.url), answer.headers["location"])
            if urlsplit(url).path.endswith("/callback"):
                return url
            answer = await browser.get(url)
        else:
            assert answer.status_code == 200, answer.text
            form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert form and prompt, answer.text
            fields = {"prompt": prompt[1], "login": login, "password": "whatever"}
            answer = await browser.post(urljoin(str(answer.url), html.unescape(form[1])), data=fields)
    raise AssertionError("the provider sends people in circles")


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
