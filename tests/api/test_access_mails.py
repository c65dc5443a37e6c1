"""Who gets a mail about access, and what is noted of it: links in mails work, and nothing secret is noted."""

from typing import Any

from sqlalchemy import text
from sqlmodel import col, select

from infra.db import Database
from models import mail
from models.mail import Mail
from tests.conftest import Stack
from tests.people import Person


async def mails(owner_db: Database, person: Person) -> list[Mail]:
    async with owner_db.transaction() as session:
        query = select(Mail).where(Mail.recipient == person.email).order_by(col(Mail.id))
        return [item for item in await session.scalars(query) if item.template != "verify_email"]


async def test_invitations_are_mailed_and_links_are_not(
    ann: Person, bob: Person, stack: Stack, owner_db: Database
) -> None:
    path = f"/orgs/{ann.org['id']}/invitations"
    first = await ann.json("POST", path, json={"email": bob.email})
    await ann.json("POST", f"/orgs/{ann.org['id']}/invitation-links", json={"max_uses": 5})
    second = await ann.json("POST", f"{path}/{first['id']}/resend")
    sent = await mails(owner_db, bob)
    assert [item.template for item in sent] == ["invitation", "invitation"]
    for item, invitation in zip(sent, (first, second), strict=True):
        if item.sealed is not None:  # the flow has not sent it yet
            assert f"/invitations#token={invitation['token']}" in mail.letter(stack.settings, item).text


async def test_managers_are_asked_and_who_asked_is_answered(ann: Person, bob: Person, owner_db: Database) -> None:
    await ann.invite(bob, "guest")
    path = f"/documents/{ann.document['id']}/access-requests"
    await bob.json("POST", path, json={"level": "read"})
    assert [item.template for item in await mails(owner_db, ann)] == ["access_requested"]
    [waiting] = (await ann.json("GET", path))["items"]
    await ann.json("POST", f"{path}/{waiting['id']}/approve", json={})
    assert [item.template for item in await mails(owner_db, bob)] == ["invitation", "access_granted"]


async def test_every_act_is_noted(ann: Person, bob: Person, owner_db: Database) -> None:
    org, document = f"/orgs/{ann.org['id']}", f"/documents/{ann.document['id']}"
    secrets = [(await ann.json("POST", f"{org}/invitations", json={"email": "x@example.com"}))["token"]]
    [invitation] = (await ann.json("GET", f"{org}/invitations"))["items"]
    secrets.append((await ann.json("POST", f"{org}/invitations/{invitation['id']}/resend"))["token"])
    await ann.json("DELETE", f"{org}/invitations/{invitation['id']}")
    await ann.invite(bob, "guest")
    member = f"{org}/members/{bob.user['id']}"
    group = (await ann.json("POST", f"{org}/groups", json={"name": "Writers"}))["id"]
    wishes: list[tuple[str, str, Any]] = [
        ("PATCH", org, {"name": "Better"}),
        ("PATCH", org, {"members_may_share": False}),
        ("PATCH", f"{org}/groups/{group}", {"name": "Readers"}),
        ("PUT", f"{org}/groups/{group}/members/{bob.user['id']}", None),
        ("DELETE", f"{org}/groups/{group}/members/{bob.user['id']}", None),
        ("DELETE", f"{org}/groups/{group}", None),
        ("PUT", f"{document}/access", {"org_access": "none"}),
        ("PUT", f"{document}/grants/users/{bob.user['id']}", {"level": "read"}),
        ("DELETE", f"{document}/grants/users/{bob.user['id']}", None),
        ("PATCH", member, {"role": "member"}),
        ("POST", f"{member}/suspend", None),
        ("POST", f"{member}/reactivate", None),
        ("POST", f"{org}/transfer", {"user_id": bob.user["id"]}),
        ("DELETE", document, None),
        ("POST", f"{document}/recover", None),
    ]
    for method, path, body in wishes:
        await ann.json(method, path, **({} if body is None else {"json": body}))
    await ann.json("DELETE", f"{org}/members/{ann.user['id']}")
    await bob.json("DELETE", org, json={"name": "Better"})
    await bob.json("POST", f"/deleted-orgs/{ann.org['id']}/restore")
    async with owner_db.transaction() as session:
        query = "SELECT action, actor_id, details::text AS details FROM audit_events WHERE org_id = :org ORDER BY id"
        rows = list(await session.execute(text(query), {"org": ann.org_id}))
    acts = [row.action for row in rows if not row.action.startswith("account.")]
    assert acts == [
        "org.founded",
        "member.invited",
        "invitation.resent",
        "invitation.withdrawn",
        "member.invited",
        "member.joined",
        "group.created",
        "org.renamed",
        "org.changed",
        "group.renamed",
        "group.joined",
        "group.left",
        "group.deleted",
        "access.changed",
        "access.granted",
        "access.revoked",
        "role.changed",
        "member.suspended",
        "member.reactivated",
        "ownership.transferred",
        "document.trashed",
        "document.recovered",
        "member.left",
        "org.deleted",
        "org.restored",
    ]
    assert all(str(row.actor_id) in (ann.user["id"], bob.user["id"]) for row in rows)
    noted = " ".join(row.details for row in rows)
    assert not any(secret.split(".")[2] in noted for secret in secrets)
