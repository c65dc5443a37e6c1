"""People who use the platform over its API."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from pycrdt import Doc, Text, TransactionEvent

OCTETS = {"content-type": "application/octet-stream"}


@dataclass(slots=True)
class Person:
    """Somebody who is signed in; `org` and `document` are the newest they made."""

    api: httpx.AsyncClient
    user: dict[str, Any]
    email: str
    password: str
    org: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def org_id(self) -> UUID:
        """The organization."""
        return UUID(self.org["id"])

    @property
    def document_id(self) -> UUID:
        """The document."""
        return UUID(self.document["id"])

    async def found_org(self, name: str = "Acme") -> dict[str, Any]:
        """Found an organization."""
        self.org = await self.json("POST", "/orgs", json={"name": name})
        return self.org

    async def create_document(self, title: str = "Notes") -> dict[str, Any]:
        """Create a document in it."""
        self.document = await self.json("POST", f"/orgs/{self.org['id']}/documents", json={"title": title})
        return self.document

    async def save(self, update: bytes, document_id: str | None = None) -> int:
        """Autosave an update; the seq it got."""
        path = f"/documents/{document_id or self.document['id']}/updates"
        return int((await self.json("POST", path, content=update, headers=OCTETS))["seq"])

    async def text(self, root: str = "content", **parameters: Any) -> str:
        """The text of the document's state."""
        answer = await self.api.get(f"/documents/{self.document['id']}/state", params=parameters)
        return text_of(answer.raise_for_status().content, root)

    async def invite(self, other: "Person", role: str = "member") -> None:
        """Let somebody else join the organization."""
        token = await self.invitation(other.email, role)
        await other.json("POST", "/invitations/accept", json={"token": token})

    async def grant(self, other: "Person", level: str) -> None:
        """Let somebody else do this much with the document."""
        await self.json(
            "PUT", f"/documents/{self.document['id']}/grants/users/{other.user['id']}", json={"level": level}
        )

    async def invitation(self, email: str, role: str = "member") -> str:
        """The token of an invitation for an address."""
        wish = {"email": email, "role": role}
        return str((await self.json("POST", f"/orgs/{self.org['id']}/invitations", json=wish))["token"])

    async def share(self, **wish: Any) -> dict[str, Any]:
        """A link to the document."""
        link: dict[str, Any] = await self.json("POST", f"/documents/{self.document['id']}/share-links", json=wish)
        return link

    async def json(self, method: str, path: str, **options: Any) -> Any:
        """The JSON answer of a request that succeeds."""
        answer = await self.api.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


class Pen:
    """Writes into a Doc and hands out the update of each stroke."""

    def __init__(self, root: str = "content") -> None:
        self.doc: Doc[Any] = Doc()
        self.text = self.doc.get(root, type=Text)
        self._updates: list[bytes] = []
        self._subscription = self.doc.observe(self._collect)

    def write(self, text: str) -> bytes:
        """Append text."""
        self.text += text
        return self._updates.pop()

    def erase(self, start: int, stop: int) -> bytes:
        """Delete a stretch of text."""
        del self.text[start:stop]
        return self._updates.pop()

    def _collect(self, event: TransactionEvent) -> None:
        self._updates.append(event.update)


def text_of(update: bytes, root: str = "content") -> str:
    """The text that an update makes."""
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    return str(doc.get(root, type=Text))


@asynccontextmanager
async def sign_up(base_url: str, name: str, *, email: str = "") -> AsyncIterator[Person]:
    """A new account with a bearer token."""
    email = email or f"{name.lower()}-{secrets.token_hex(6)}@example.com"
    password = secrets.token_urlsafe(12)
    # Idle connections are given up before the server does, which would be a race.
    limits = httpx.Limits(keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=base_url, timeout=30, limits=limits) as api:
        account = {"email": email, "password": password, "name": name}
        answer = (await api.post("/auth/register", json=account)).raise_for_status().json()
        api.cookies.clear()
        api.headers["authorization"] = f"Bearer {answer['access_token']}"
        yield Person(api, answer["user"], email, password)
