"""What browsers are told to keep, to send, and to refuse."""

from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from tests import routes
from tests.collab.test_failures import closed
from tests.conftest import Stack
from tests.people import Person
from tests.security.processes import api_process

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


async def test_over_tls_every_cookie_is_bound_to_this_host(ann: Person, stack: Stack) -> None:
    async with (
        api_process(stack.settings, public_url="https://doxie.example") as process,
        process.client() as browser,
    ):
        answer = await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        assert answer.headers["strict-transport-security"].startswith("max-age=")
    found = answer.headers.get_list("set-cookie")
    assert len(found) == 3
    for line in found:
        [(name, cookie)] = SimpleCookie(line).items()
        assert name.startswith("__Host-")
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["path"] == "/"
        assert not cookie["domain"]
        assert cookie["samesite"].lower() in {"lax", "strict"}


async def test_logging_out_takes_the_tokens_back(ann: Person, stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        answer = await browser.post("/auth/logout", headers={"sec-fetch-site": "same-origin"})
        assert {"doxie_access", "doxie_refresh"}.isdisjoint(browser.cookies.keys())
        assert answer.status_code == 204


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "OWN"}, True),
        ({"origin": "https://friend.example"}, True),
        ({"origin": "https://friend.example.evil.example"}, False),
        ({"origin": "http://friend.example"}, False),
    ],
)
async def test_cookies_count_for_pages_of_our_own(
    ann: Person, stack: Stack, headers: dict[str, str], allowed: bool
) -> None:
    headers = {name: "http://doxie.test" if value == "OWN" else value for name, value in headers.items()}
    async with (
        api_process(stack.settings, allowed_origins=["https://friend.example"]) as process,
        process.client() as browser,
    ):
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        for method, path, body in (("POST", "/orgs", {"name": "X"}), ("DELETE", "/auth/sessions", None)):
            answer = await browser.request(method, path, json=body, headers=headers)
            assert (answer.status_code != 403) == allowed, (method, answer.text)


async def test_no_other_site_may_read_answers(ann: Person, stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        for method in ("GET", "OPTIONS"):
            headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
            answer = await browser.request(method, "/auth/me", headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_every_answer_carries_the_headers(ann: Person, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api_process(stack.settings) as process, process.client(ann.api.headers) as api:
        answers = {
            200: await api.get("/auth/me"),
            401: await api.get("/auth/me", headers={"authorization": "Bearer x"}),
            404: await api.get("/nowhere"),
            405: await api.put("/auth/me"),
            422: await api.post("/orgs", json={}),
            413: await api.post("/orgs", content=b"", headers={"content-length": str(2**40)}),
        }

        async def broken(*_: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr("api.orgs.routes.orgs.of", broken)
        answers[500] = await api.get("/orgs")
    for status, answer in answers.items():
        assert answer.status_code == status
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, status
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
        assert "broken" not in answer.text


async def test_the_page_lets_nothing_else_in(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.settings.public_url) as browser:
        for route in routes.live():
            if route.api.endpoint.__module__ == "api.page" and "{" not in route.path and "." not in route.path:
                policy = (await browser.get(route.path)).headers["content-security-policy"]
                assert "frame-ancestors 'none'" in policy or "default-src 'none'" in policy
                assert "'unsafe-eval'" not in policy


@pytest.mark.parametrize(
    ("origin", "code"),
    [(None, 4401), ("https://evil.example", 4401), ("null", 4401), ("OWN", None)],
)
async def test_sockets_take_cookies_from_pages_of_our_own_only(
    ann: Person, stack: Stack, origin: str | None, code: int | None
) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        cookie = f"doxie_access={browser.cookies['doxie_access']}"
    origin = stack.settings.public_url if origin == "OWN" else origin
    headers = {"cookie": cookie} | ({"origin": origin} if origin else {})
    async with connect(f"{stack.settings.collab_url}/{ann.document['id']}", additional_headers=headers) as socket:
        if code is None:
            assert await socket.recv()
        else:
            assert await closed(socket) == code


def test_nothing_here_imports_a_cors_middleware() -> None:
    sources = (Path(__file__).parents[2] / "api").rglob("*.py")
    assert not [path for path in sources if "CORSMiddleware" in path.read_text()]
