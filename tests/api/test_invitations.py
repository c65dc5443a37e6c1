"""Invitations: for one address or by link, one membership however often they are accepted."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Stack
from tests.people import Person, sign_up


async def accept(person: Person, token: str) -> int:
    return (await person.api.post("/invitations/accept", json={"token": token})).status_code


async def by_link(person: Person, **wish: Any) -> dict[str, Any]:
    made: dict[str, Any] = await person.json("POST", f"/orgs/{person.org['id']}/invitation-links", json=wish)
    return made


async def roles(person: Person) -> dict[str, str]:
    members = (await person.json("GET", f"/orgs/{person.org['id']}/members"))["items"]
    return {member["email"]: member["role"] for member in members}


async def test_an_invitation_is_for_one_address_and_one_time(ann: Person, bob: Person, stack: Stack) -> None:
    path = f"/orgs/{ann.org['id']}/invitations"
    invitation = await ann.json("POST", path, json={"email": bob.email.upper()})
    async with sign_up(stack.api, "Eve") as eve:
        assert await accept(eve, invitation["token"]) == 404
    assert await accept(bob, invitation["token"]) == 200
    assert await accept(bob, invitation["token"]) == 404
    assert await roles(ann) == {ann.email: "owner", bob.email: "member"}


async def test_somebody_without_an_account_registers_and_accepts(ann: Person, stack: Stack) -> None:
    email = f"{uuid4()}@example.com"
    token = await ann.invitation(email)
    async with sign_up(stack.api, "Eve", email=email) as eve:
        assert await accept(eve, token) == 200
        assert await roles(ann) == {ann.email: "owner", email: "member"}


async def test_a_link_lets_so_many_in(ann: Person, stack: Stack) -> None:
    link = await by_link(ann, max_uses=2, role="guest")
    codes = []
    for name in ("Bob", "Eve", "Mallory"):
        async with sign_up(stack.api, name) as person:
            codes.append(await accept(person, link["token"]))
    assert codes == [200, 200, 404]
    assert sorted((await roles(ann)).values()) == ["guest", "guest", "owner"]
    assert (await ann.json("GET", f"/orgs/{ann.org['id']}/invitations"))["items"] == []


@pytest.mark.parametrize("uses", [1, 50])
async def test_one_person_accepting_twenty_times_at_once_is_one_member(ann: Person, bob: Person, uses: int) -> None:
    link = await by_link(ann, max_uses=uses)
    codes = sorted(await asyncio.gather(*(accept(bob, link["token"]) for _ in range(20))))
    assert codes[0] == 200
    assert set(codes[1:]) <= {404, 409}
    assert await roles(ann) == {ann.email: "owner", bob.email: "member"}
    listed = (await ann.json("GET", f"/orgs/{ann.org['id']}/invitations"))["items"]
    assert [item["uses"] for item in listed] == ([1] if uses == 50 else [])


async def test_of_many_who_come_with_the_last_use_one_gets_in(ann: Person, stack: Stack) -> None:
    link = await by_link(ann)
    async with sign_up(stack.api, "Bob") as bob, sign_up(stack.api, "Eve") as eve, sign_up(stack.api, "Mal") as mal:
        codes = await asyncio.gather(*(accept(person, link["token"]) for person in (bob, eve, mal)))
    assert sorted(codes) == [200, 404, 404]
    assert len(await roles(ann)) == 2


async def test_resending_replaces_the_secret(ann: Person, bob: Person) -> None:
    path = f"/orgs/{ann.org['id']}/invitations"
    first = await ann.json("POST", path, json={"email": bob.email})
    second = await ann.json("POST", f"{path}/{first['id']}/resend")
    assert second["id"] == first["id"]
    assert second["token"] != first["token"]
    assert await accept(bob, first["token"]) == 404
    assert await accept(bob, second["token"]) == 200
    assert (await ann.api.post(f"{path}/{first['id']}/resend")).status_code == 404


async def test_a_withdrawn_one_is_over(ann: Person, bob: Person) -> None:
    path = f"/orgs/{ann.org['id']}/invitations"
    for invitation in (await ann.json("POST", path, json={"email": bob.email}), await by_link(ann)):
        assert (await ann.api.delete(f"{path}/{invitation['id']}")).status_code == 204
        assert await accept(bob, invitation["token"]) == 404
        assert (await ann.api.delete(f"{path}/{invitation['id']}")).status_code == 404


async def test_tokens_that_are_none_are_all_the_same(ann: Person, bob: Person) -> None:
    real = await ann.json("POST", f"/orgs/{ann.org['id']}/invitations", json={"email": "somebody@example.com"})
    org_id, invitation_id, secret = real["token"].split(".")
    answers = [
        await bob.api.post("/invitations/accept", json={"token": token})
        for token in (
            real["token"],  # real, for somebody else
            f"{org_id}.{invitation_id}.{secret[:-1]}x",
            f"{org_id}.{uuid4()}.{secret}",
            f"{uuid4()}.{invitation_id}.{secret}",
            f"{bob.org['id']}.{invitation_id}.{secret}",
            "nonsense",
            "",
        )
    ]
    bodies = {(a.status_code, a.json()["type"], a.json()["detail"]) for a in answers}
    assert len(bodies) == 1
    assert answers[0].status_code == 404


async def test_nothing_but_what_is_asked_for_can_be_set(ann: Person, bob: Person) -> None:
    org = f"/orgs/{ann.org['id']}"
    for path, wish in (
        ("invitations", {"email": bob.email, "max_uses": 9}),
        ("invitations", {"email": bob.email, "org_id": bob.org["id"]}),
        ("invitations", {"email": bob.email, "role": "operator"}),
        ("invitations", {"email": bob.email, "expires_in": 10**9}),
        ("invitation-links", {"email": bob.email}),
        ("invitation-links", {"max_uses": 0}),
        ("invitation-links", {"role": "owner"}),
    ):
        assert (await ann.api.post(f"{org}/{path}", json=wish)).status_code == 422, wish
    token = (await by_link(ann))["token"]
    for extra in ({"role": "owner"}, {"user_id": ann.user["id"]}):
        assert (await bob.api.post("/invitations/accept", json={"token": token} | extra)).status_code == 422


async def test_a_guest_who_is_invited_becomes_a_member(ann: Person, bob: Person) -> None:
    await ann.invite(bob, "guest")
    await ann.invite(bob, "member")
    assert (await roles(ann))[bob.email] == "member"
    assert await accept(bob, (await by_link(ann, role="guest"))["token"]) == 409
    assert (await roles(ann))[bob.email] == "member"


async def test_an_invitation_does_not_bring_back_who_is_suspended(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    await ann.json("POST", f"/orgs/{ann.org['id']}/members/{bob.user['id']}/suspend")
    assert await accept(bob, (await by_link(ann))["token"]) == 409
    assert (await bob.api.get(f"/orgs/{ann.org['id']}")).status_code == 404
