"""Organizations, roles and invitations."""

import asyncio

import pytest

from tests.conftest import Stack
from tests.people import Person, sign_up


async def test_the_founder_owns(ann: Person) -> None:
    [org] = (await ann.json("GET", "/orgs"))["items"]
    assert org["id"] == ann.org["id"]
    assert org["role"] == "owner"


async def test_an_invitation_is_for_one_address_and_one_time(ann: Person, bob: Person, stack: Stack) -> None:
    path = f"/orgs/{ann.org['id']}/invitations"
    invitation = await ann.json("POST", path, json={"email": bob.email})
    async with sign_up(stack.api, "Eve") as eve:
        assert (await eve.api.post("/invitations/accept", json={"token": invitation["token"]})).status_code == 404
    await bob.json("POST", "/invitations/accept", json={"token": invitation["token"]})
    again = await bob.api.post("/invitations/accept", json={"token": invitation["token"]})
    assert again.status_code == 404
    members = (await ann.json("GET", f"/orgs/{ann.org['id']}/members"))["items"]
    assert {member["email"]: member["role"] for member in members} == {
        ann.email: "owner",
        bob.email: "member",
    }


async def test_members_may_write_and_not_manage(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    org = f"/orgs/{ann.org['id']}"
    assert (await bob.api.post(f"{org}/documents", json={"title": "Mine"})).status_code == 201
    assert (await bob.api.get(f"/documents/{ann.document['id']}")).status_code == 200
    refused = [
        bob.api.patch(org, json={"name": "Mine"}),
        bob.api.post(f"{org}/invitations", json={"email": "x@example.com"}),
        bob.api.patch(f"{org}/members/{ann.user['id']}", json={"role": "member"}),
        bob.api.delete(f"{org}/members/{ann.user['id']}"),
    ]
    assert [answer.status_code for answer in await asyncio.gather(*refused)] == [403] * 4


async def test_admins_manage_members_and_not_owners(ann: Person, bob: Person) -> None:
    await ann.invite(bob, "admin")
    org = f"/orgs/{ann.org['id']}"
    assert (await bob.api.patch(org, json={"name": "Better"})).status_code == 200
    assert (await bob.api.delete(f"{org}/members/{ann.user['id']}")).status_code == 403
    promote = await bob.api.patch(f"{org}/members/{bob.user['id']}", json={"role": "owner"})
    assert promote.status_code == 403
    wish = {"email": "x@example.com", "role": "owner"}
    assert (await bob.api.post(f"{org}/invitations", json=wish)).status_code == 403


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
