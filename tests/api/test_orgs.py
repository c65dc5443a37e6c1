"""Organizations: founding, settings, roles, suspension, the end and the way back."""

import asyncio

import pytest
from sqlalchemy import text

from infra.db import Database
from tests.conftest import Stack
from tests.people import Person, sign_up


async def statuses(person: Person, *paths: str) -> list[int]:
    return [(await person.api.get(path)).status_code for path in paths]


async def test_the_founder_owns(ann: Person) -> None:
    [org] = (await ann.json("GET", "/orgs"))["items"]
    assert org["id"] == ann.org["id"]
    assert org["role"] == "owner"


async def test_members_may_write_and_not_manage(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    org = f"/orgs/{ann.org['id']}"
    assert (await bob.api.post(f"{org}/documents", json={"title": "Mine"})).status_code == 201
    assert (await bob.api.get(f"/documents/{ann.document['id']}")).status_code == 200
    refused = [
        bob.api.patch(org, json={"name": "Mine"}),
        bob.api.post(f"{org}/invitations", json={"email": "x@example.com"}),
        bob.api.post(f"{org}/invitation-links", json={}),
        bob.api.patch(f"{org}/members/{ann.user['id']}", json={"role": "member"}),
        bob.api.post(f"{org}/members/{ann.user['id']}/suspend"),
        bob.api.post(f"{org}/transfer", json={"user_id": bob.user["id"]}),
        bob.api.delete(f"{org}/members/{ann.user['id']}"),
        bob.api.request("DELETE", org, json={"name": "Acme"}),
        bob.api.post(f"{org}/groups", json={"name": "Mine"}),
        bob.api.delete(f"/documents/{ann.document['id']}"),
    ]
    assert [answer.status_code for answer in await asyncio.gather(*refused)] == [403] * len(refused)


async def test_guests_see_nothing_but_what_is_granted(ann: Person, bob: Person) -> None:
    await ann.invite(bob, "guest")
    org, document = f"/orgs/{ann.org['id']}", f"/documents/{ann.document['id']}"
    assert await statuses(bob, org, f"{org}/documents") == [200, 200]
    assert await statuses(bob, f"{org}/members", f"{org}/groups", f"{org}/invitations") == [403, 403, 403]
    assert await statuses(bob, document, f"{document}/state", f"{document}/revisions") == [404, 404, 404]
    assert (await bob.json("GET", f"{org}/documents"))["items"] == []
    assert (await bob.api.post(f"{org}/documents", json={"title": "Mine"})).status_code == 403
    await ann.grant(bob, "read")
    assert await statuses(bob, document, f"{document}/state") == [200, 200]
    assert [item["id"] for item in (await bob.json("GET", f"{org}/documents"))["items"]] == [ann.document["id"]]
    assert (await bob.api.patch(document, json={"title": "Mine"})).status_code == 403


async def test_admins_manage_members_and_not_owners(ann: Person, bob: Person) -> None:
    await ann.invite(bob, "admin")
    org = f"/orgs/{ann.org['id']}"
    assert (await bob.api.patch(org, json={"name": "Better"})).status_code == 200
    assert (await bob.api.delete(f"{org}/members/{ann.user['id']}")).status_code == 403
    assert (await bob.api.post(f"{org}/members/{ann.user['id']}/suspend")).status_code == 403
    promote = await bob.api.patch(f"{org}/members/{bob.user['id']}", json={"role": "owner"})
    assert promote.status_code == 403
    wish = {"email": "x@example.com", "role": "owner"}
    assert (await bob.api.post(f"{org}/invitations", json=wish)).status_code == 403
    assert (await bob.api.request("DELETE", org, json={"name": "Better"})).status_code == 403


@pytest.mark.parametrize("method", ["leave", "demote"])
async def test_two_owners_who_go_at_once_leave_one(ann: Person, bob: Person, method: str) -> None:
    await ann.invite(bob, "owner")
    org = f"/orgs/{ann.org['id']}"

    async def go(person: Person) -> int:
        path = f"{org}/members/{person.user['id']}"
        if method == "leave":
            return (await person.api.delete(path)).status_code
        return (await person.api.patch(path, json={"role": "member"})).status_code

    codes = sorted(await asyncio.gather(go(ann), go(bob)))
    assert codes == ([204, 409] if method == "leave" else [200, 409])


async def test_removed_members_are_strangers(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    await ann.api.delete(f"/orgs/{ann.org['id']}/members/{bob.user['id']}")
    for path in (f"/orgs/{ann.org['id']}", f"/documents/{ann.document['id']}"):
        assert (await bob.api.get(path)).status_code == 404


async def test_ownership_is_transferred(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    org = f"/orgs/{ann.org['id']}"
    await ann.json("POST", f"{org}/transfer", json={"user_id": bob.user["id"]})
    roles = {item["user_id"]: item["role"] for item in (await bob.json("GET", f"{org}/members"))["items"]}
    assert roles == {ann.user["id"]: "admin", bob.user["id"]: "owner"}
    assert (await ann.api.post(f"{org}/transfer", json={"user_id": ann.user["id"]})).status_code == 403


async def test_who_is_suspended_is_a_stranger_until_let_in_again(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    mine = await bob.json("POST", f"/orgs/{ann.org['id']}/documents", json={"title": "By Bob"})
    org, documents = f"/orgs/{ann.org['id']}", [f"/documents/{ann.document['id']}", f"/documents/{mine['id']}"]
    assert await statuses(bob, org, *documents) == [200, 200, 200]
    await ann.json("POST", f"{org}/members/{bob.user['id']}/suspend")
    assert await statuses(bob, org, f"{org}/documents", *documents) == [404] * 4
    assert [item["id"] for item in (await bob.json("GET", "/orgs"))["items"]] == [bob.org["id"]]
    members = (await ann.json("GET", f"{org}/members"))["items"]
    assert [item["suspended_at"] is not None for item in members] == [False, True]
    assert (await ann.api.post(f"{org}/members/{ann.user['id']}/suspend")).status_code == 409
    await ann.json("POST", f"{org}/members/{bob.user['id']}/reactivate")
    assert await statuses(bob, org, *documents) == [200, 200, 200]


async def test_settings(ann: Person, bob: Person) -> None:
    org = f"/orgs/{ann.org['id']}"
    await ann.invite(bob)
    changed = await ann.json("PATCH", org, json={"default_org_access": "none", "members_may_invite": True})
    assert (changed["name"], changed["default_org_access"]) == ("Acme", "none")
    secret = await ann.create_document("Secret")
    assert secret["org_access"] == "none"
    assert await statuses(bob, f"/documents/{secret['id']}") == [403]
    wish = {"email": "x@example.com"}
    assert (await bob.api.post(f"{org}/invitations", json=wish)).status_code == 201
    assert (await bob.api.post(f"{org}/invitations", json=wish | {"role": "admin"})).status_code == 403
    await ann.json("PATCH", org, json={"invitation_domains": ["Example.org"]})
    assert (await bob.api.post(f"{org}/invitations", json=wish)).status_code == 403
    assert (await bob.api.post(f"{org}/invitations", json={"email": "x@example.org"})).status_code == 201
    for nonsense in ({"deleted_at": None}, {"default_org_access": "manage"}, {"invitation_domains": ["no domain"]}):
        assert (await ann.api.patch(org, json=nonsense)).status_code == 422


async def test_what_one_may_not_read_says_nothing(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    await ann.json("PUT", f"/documents/{ann.document['id']}/access", json={"org_access": "none"})
    path = f"/documents/{ann.document['id']}"
    for answer in (await bob.api.get(path), await bob.api.patch(path, json={"title": "x"}), await bob.api.delete(path)):
        assert answer.status_code == 403
        assert "Notes" not in answer.text
    listed = (await bob.json("GET", f"/orgs/{ann.org['id']}/documents"))["items"]
    assert listed == []


async def test_a_deleted_organization_is_gone_and_comes_back(ann: Person, bob: Person) -> None:
    await ann.invite(bob, "admin")
    org, document = f"/orgs/{ann.org['id']}", f"/documents/{ann.document['id']}"
    assert (await ann.api.request("DELETE", org, json={"name": "acme"})).status_code == 422
    answer = await ann.api.request("DELETE", org, json={"name": "Acme"})
    assert answer.status_code == 202
    for person in (ann, bob):
        assert await statuses(person, org, document, f"{org}/members") == [404, 404, 404]
    [deleted] = (await ann.json("GET", "/deleted-orgs"))["items"]
    assert (deleted["id"], deleted["name"]) == (ann.org["id"], "Acme")
    assert (await bob.json("GET", "/deleted-orgs"))["items"] == []
    assert (await bob.api.post(f"/deleted-orgs/{ann.org['id']}/restore")).status_code == 404
    await ann.json("POST", f"/deleted-orgs/{ann.org['id']}/restore")
    for person in (ann, bob):
        assert await statuses(person, org, document) == [200, 200]
    assert (await ann.api.post(f"/deleted-orgs/{ann.org['id']}/restore")).status_code == 404


async def test_what_is_deleted_too_long_cannot_be_restored(ann: Person, owner_db: Database) -> None:
    org = f"/orgs/{ann.org['id']}"
    await ann.api.request("DELETE", org, json={"name": "Acme"})
    async with owner_db.transaction() as session:
        statement = "UPDATE organizations SET deleted_at = now() - interval '30 days' WHERE id = :org"
        await session.execute(text(statement), {"org": ann.org_id})
    assert (await ann.json("GET", "/deleted-orgs"))["items"] == []
    assert (await ann.api.post(f"/deleted-orgs/{ann.org['id']}/restore")).status_code == 404


async def test_groups(ann: Person, bob: Person, stack: Stack) -> None:
    await ann.invite(bob)
    groups = f"/orgs/{ann.org['id']}/groups"
    writers = await ann.json("POST", groups, json={"name": "Writers"})
    assert (await ann.api.post(groups, json={"name": "Writers"})).status_code == 409
    readers = await ann.json("POST", groups, json={"name": "Readers"})
    assert (await ann.api.patch(f"{groups}/{readers['id']}", json={"name": "Writers"})).status_code == 409
    place = f"{groups}/{writers['id']}/members/{bob.user['id']}"
    for _ in range(2):
        assert (await ann.api.put(place)).status_code == 204
    listed = (await bob.json("GET", groups))["items"]
    assert [(item["name"], item["members"]) for item in listed] == [("Readers", 0), ("Writers", 1)]
    assert (await bob.json("GET", f"{groups}/{writers['id']}/members"))["items"][0]["user_id"] == bob.user["id"]
    async with sign_up(stack.api, "Eve") as eve:
        assert (await ann.api.put(f"{groups}/{writers['id']}/members/{eve.user['id']}")).status_code == 404
        assert (await eve.api.get(groups)).status_code == 404
    assert (await ann.api.delete(place)).status_code == 204
    assert (await ann.api.delete(place)).status_code == 404
    assert (await ann.api.delete(f"{groups}/{writers['id']}")).status_code == 204
    assert (await ann.api.get(f"{groups}/{writers['id']}/members")).status_code == 404
