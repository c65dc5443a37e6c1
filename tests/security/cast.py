"""Two tenants, and everybody who may or may not come near the first one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

import models.migrations.tables  # noqa: F401 (every table)
from infra import clock
from infra.db import Database
from models.documents.tables import DocumentGrant
from models.factors.tables import Passkey
from models.federation.tables import FederatedIdentity
from models.imports.tables import Import
from models.notifications.tables import Notification
from models.orgs.tables import Group, GroupMember
from models.sharing.tables import AccessRequest, ShareLink
from models.webhooks.tables import Webhook, WebhookDelivery
from tests.people import OCTETS, Pen, Person, sign_up

ORG_RANKS = ("guest", "member", "admin", "owner")
DOCUMENT_RANKS = ("read", "comment", "write", "manage")


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, and what they are at the first tenant."""

    name: str
    headers: dict[str, str] = field(hash=False)
    tenant: str = "A"
    """Whose ids are their own."""
    org: str | None = None
    """Their rank in the organization; None outside of it."""
    document: str | None = None
    """Their level on the document; None without any."""

    @property
    def signed_in(self) -> bool:
        """Whether they have a session."""
        return self.name not in {"anonymous", "revoked session"}

    def ranks_in_org(self, least: str) -> bool:
        """Whether their rank is enough."""
        return self.org is not None and ORG_RANKS.index(self.org) >= ORG_RANKS.index(least)

    def ranks_at_document(self, least: str) -> bool:
        """Whether their level is enough."""
        return self.document is not None and DOCUMENT_RANKS.index(self.document) >= DOCUMENT_RANKS.index(least)


@dataclass(slots=True)
class Tenant:
    """An organization, its owner, and an id of everything in it, by the name of the path parameter."""

    owner: Person
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Cast:
    """Everybody and everything."""

    base_url: str
    tenants: dict[str, Tenant]
    actors: list[Actor]

    def actor(self, name: str) -> Actor:
        """One of them."""
        return next(actor for actor in self.actors if actor.name == name)


@asynccontextmanager
async def assembled(base_url: str, owner_db: Database) -> AsyncIterator[Cast]:
    """The whole cast."""
    async with AsyncExitStack() as stack:
        troupe = _Troupe(stack, base_url, owner_db)
        home, abroad = await troupe.tenant("Ann"), await troupe.tenant("Bob")
        actors = [Actor("anonymous", {}), await troupe.revoked(home)]
        for tenant in (home, abroad):  # from here on a password alone signs them in no more
            tenant.ids["passkey_id"] = await troupe.passkey(tenant.owner)
        for role in ("member", "admin", "owner"):
            actors.append(await troupe.outsider(abroad, role))
        actors += [
            await troupe.insider(home, "suspended member", "member", None, suspended=True),
            await troupe.insider(home, "guest elsewhere", "guest", None),
            await troupe.insider(home, "guest", "guest", "read"),
            await troupe.insider(home, "member without grant", "member", None),
            await troupe.insider(home, "reader", "member", "read"),
            await troupe.insider(home, "writer", "member", "write"),
            await troupe.insider(home, "admin", "admin", "manage"),
            Actor("owner", _headers(home.owner), org="owner", document="manage"),
        ]
        yield Cast(base_url, {"A": home, "B": abroad}, actors)


@asynccontextmanager
async def furnished(base_url: str, owner_db: Database) -> AsyncIterator[Tenant]:
    """One tenant alone, with one of everything."""
    async with AsyncExitStack() as stack:
        yield await _Troupe(stack, base_url, owner_db).tenant("Ann")


def _headers(person: Person) -> dict[str, str]:
    return {"authorization": person.api.headers["authorization"]}


@dataclass(frozen=True, slots=True)
class _Troupe:
    stack: AsyncExitStack
    base_url: str
    owner_db: Database

    async def person(self, name: str) -> Person:
        return await self.stack.enter_async_context(sign_up(self.base_url, name))

    async def tenant(self, name: str) -> Tenant:
        """An organization with one of everything; its document is closed to members."""
        owner = await self.person(name)
        await owner.found_org()
        await owner.create_document()
        tenant = Tenant(owner)
        member, asking = await self.person("Member"), await self.person("Asking")
        for other in (member, asking):
            await owner.invite(other)
        document = f"/documents/{owner.document['id']}"
        await owner.save(Pen().write("written"))
        await owner.json("POST", f"{document}/revisions", json={"name": "One"})
        export = await owner.json("POST", f"{document}/exports", json={"format": "markdown"})
        invitation = {"email": f"{uuid4()}@example.com", "role": "member"}
        invited = await owner.json("POST", f"/orgs/{owner.org['id']}/invitations", json=invitation)
        async with httpx.AsyncClient(base_url=self.base_url) as browser:
            await browser.post("/auth/login", json={"email": owner.email, "password": owner.password})
            sessions = (await browser.get("/auth/sessions")).json()["items"]
        made = await self._rows(owner, member, asking)
        tenant.ids = {
            "org_id": owner.org["id"],
            "document_id": owner.document["id"],
            "user_id": member.user["id"],
            "grantee_id": member.user["id"],
            "invitation_id": invited["id"],
            "session_id": next(item["id"] for item in sessions if item["current"]),
            "export_id": export["id"],
            "number": "1",
            **made,
        }
        return tenant

    async def _rows(self, owner: Person, member: Person, asking: Person) -> dict[str, str]:
        org_id, document_id = owner.org_id, owner.document_id
        owner_id, member_id, asking_id = (UUID(person.user["id"]) for person in (owner, member, asking))
        group = Group(org_id=org_id, name="Editors")
        grant = DocumentGrant(org_id=org_id, document_id=document_id, user_id=member_id, level=1, granted_by=owner_id)
        link = ShareLink(
            org_id=org_id, document_id=document_id, secret_hash=uuid4().bytes, level=1, created_by=owner_id
        )
        wish = AccessRequest(org_id=org_id, document_id=document_id, user_id=asking_id, level=1)
        webhook = Webhook(
            org_id=org_id,
            url="https://example.com/",
            events=["document.created"],
            sealed_secret=b"s",
            created_by=owner_id,
        )
        delivery = WebhookDelivery(org_id=org_id, webhook_id=webhook.id, event_key="1", event="document.created")
        told = Notification(org_id=org_id, user_id=owner_id, event="1", kind="invited", document_id=document_id)
        wish_for_import = Import(
            org_id=org_id, file_name="x.md", kind="markdown", sha256="0" * 64, bytes=1, requested_by=owner_id
        )
        identity = FederatedIdentity(
            user_id=owner_id, provider="nowhere", issuer="https://id.example", subject=str(uuid4()), email=owner.email
        )
        run = {"org": org_id, "document": document_id, "id": clock.new_id()}
        async with self.owner_db.transaction(org_ids=[org_id]) as session:
            session.add_all([group, grant, link, wish, webhook, told, identity, wish_for_import])
            await session.flush()
            session.add(delivery)
            session.add(GroupMember(org_id=org_id, group_id=group.id, user_id=member_id))
            await session.execute(text("UPDATE documents SET org_access = 0 WHERE id = :id"), {"id": document_id})
            await session.execute(
                text("""
                    INSERT INTO pipeline_runs (org_id, id, document_id, pipeline, step, state, attempts, started_at)
                    VALUES (:org, :id, :document, 'persist', 'fold', 'succeeded', 1, now())
                """),
                run,
            )
        return {
            "group_id": str(group.id),
            "link_id": str(link.id),
            "request_id": str(wish.id),
            "webhook_id": str(webhook.id),
            "delivery_id": str(delivery.id),
            "notification_id": str(told.id),
            "identity_id": str(identity.id),
            "import_id": str(wish_for_import.id),
            "run_id": str(run["id"]),
        }

    async def passkey(self, owner: Person) -> str:
        """The id of a passkey of theirs."""
        passkey = Passkey(user_id=UUID(owner.user["id"]), credential_id=uuid4().bytes, public_key=b"key", name="Key")
        async with self.owner_db.transaction() as session:
            session.add(passkey)
        return str(passkey.id)

    async def outsider(self, abroad: Tenant, role: str) -> Actor:
        """Somebody of the other tenant."""
        if role == "owner":
            return Actor("other tenant's owner", _headers(abroad.owner), tenant="B")
        person = await self.person("Outsider")
        await abroad.owner.invite(person, role)
        return Actor(f"other tenant's {role}", _headers(person), tenant="B")

    async def revoked(self, home: Tenant) -> Actor:
        """The owner themselves, by a session that is over."""
        login = {"email": home.owner.email, "password": home.owner.password}
        async with httpx.AsyncClient(base_url=self.base_url) as api:
            token = (await api.post("/auth/login", json=login)).raise_for_status().json()["access_token"]
            headers = {"authorization": f"Bearer {token}"}
            assert (await api.get("/auth/me", headers=headers)).status_code == 200
            assert (await api.post("/auth/logout")).status_code == 204
        return Actor("revoked session", headers)

    async def insider(self, home: Tenant, name: str, role: str, level: str | None, *, suspended: bool = False) -> Actor:
        """Somebody of the first tenant."""
        person = await self.person("Insider")
        await home.owner.invite(person, "member" if role == "guest" else role)
        who: dict[str, Any] = {"org": home.owner.org_id, "user": UUID(person.user["id"]), "role": role}
        async with self.owner_db.transaction(org_ids=[home.owner.org_id]) as session:
            where = "WHERE org_id = :org AND user_id = :user"
            await session.execute(text(f"UPDATE memberships SET role = :role {where}"), who)
            if suspended:
                await session.execute(text(f"UPDATE memberships SET suspended_at = now() {where}"), who)
            if level in {"read", "write"}:
                number = {"read": 1, "write": 3}[level]
                owner_id = UUID(home.owner.user["id"])
                session.add(
                    DocumentGrant(
                        org_id=home.owner.org_id,
                        document_id=home.owner.document_id,
                        user_id=who["user"],
                        level=number,
                        granted_by=owner_id,
                    )
                )
        return Actor(name, _headers(person), org=None if suspended else role, document=level)


__all__ = ["OCTETS", "Actor", "Cast", "Tenant", "assembled"]
