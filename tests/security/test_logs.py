"""No secret in any log: everything secret is used once, by every door, and then looked for."""

import secrets
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from infra.logging import redact
from infra.stack.files import read_env
from infra.stack.home import Home
from tests.conftest import Stack
from tests.people import Person


async def test_no_log_contains_a_secret(ann: Person, stack: Stack) -> None:
    known = {f"the deployment's {name}": value for name, value in read_env(Home(stack.home).secrets).items()}
    known["a signing key's middle"] = (
        known.pop("the deployment's DOXIE_SIGNING_KEY").replace("\\n", "\n").split("\n")[1]
    )
    known |= await _use_everything(ann, stack)
    logs = {path: path.read_text(errors="replace") for path in stack.home.rglob("*.log")}
    assert any("request" in text for text in logs.values()), "the logs are not where they are looked for"
    found = [(path.name, name) for path, text in logs.items() for name, value in known.items() if value in text]
    assert found == []


async def _use_everything(ann: Person, stack: Stack) -> dict[str, str]:
    """What was secret, by name, after it went through every door, in right and in wrong places."""
    wrong, state_vector = f"wrong-{secrets.token_hex(8)}", "AQ" + "A" * 40
    known = {
        "a password": ann.password,
        "a wrong password": wrong,
        "an access token": ann.api.headers["authorization"][7:],
    }
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        await browser.post("/auth/login", json={"email": ann.email, "password": wrong})
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password, "extra": wrong})
        await browser.post("/auth/login", json={"email": ann.email, "password": ann.password})
        known |= {f"the cookie {name}": value for name, value in browser.cookies.items()}
        await browser.post("/auth/refresh")
        known |= {f"the next cookie {name}": value for name, value in browser.cookies.items()}
        await browser.get(f"/auth/me?token={known['an access token']}")
    forged = "eyJhbGciOiJub25lIn0." + secrets.token_hex(20) + "." + secrets.token_hex(8)
    known["a forged token"] = forged
    await ann.api.get("/auth/me", headers={"authorization": f"Bearer {forged}"})
    invited = await ann.json(
        "POST", f"/orgs/{ann.org['id']}/invitations", json={"email": "x@example.com", "role": "member"}
    )
    if invited.get("token"):
        known["an invitation"] = invited["token"].rpartition(".")[2]
        await ann.api.post("/invitations/accept", json={"token": invited["token"]})
    await ann.api.get(f"/documents/{ann.document['id']}/state", params={"sv": state_vector})
    collab: dict[str, Any] = await ann.json("POST", f"/documents/{ann.document['id']}/collab-token")
    known["a collab token"] = collab["token"]
    async with connect(f"{collab['url']}/{ann.document['id']}?token={collab['token']}&ack=1") as socket:
        await socket.recv()
    async with connect(f"{collab['url']}/{ann.document['id']}?token={forged}") as socket:
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.recv()
    return known


@pytest.mark.parametrize(
    "text",
    [
        "GET /collab/x?token=SECRET&ack=1",
        "postgresql://doxie:SECRET@127.0.0.1/doxie",
        "Authorization: Bearer SECRET",
        "redis://:SECRET@127.0.0.1:6379/0",
        "https://x/?a=1&key=SECRET",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    assert "SECRET" not in redact(text)
