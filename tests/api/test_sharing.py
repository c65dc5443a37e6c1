"""Grants to people, groups and guests to come; asking for access; what happens when it is taken back."""

import asyncio
from uuid import uuid4

import pytest

from tests.conftest import Stack
from tests.people import Pen, Person, sign_up


async def may(person: Person, document: str) -> list[bool]:
    """Whether somebody may read, write, and manage a document."""
    path = f"/documents/{document}"
    answers = await asyncio.gather(
        person.api.get(path),
        person.api.patch(path, json={"title": "Notes"}),
        person.api.get(f"{path}/grants"),
    )
    return [answer.is_success for answer in answers]


@pytest.mark.parametrize("role", ["member", "guest"])
@pytest.mark.parametrize("through", ["users", "groups"])
@pytest.mark.parametrize(
    ("level", "allowed"), [("read", [1, 0, 0]), ("comment", [1, 0, 0]), ("write", [1, 1, 0]), ("manage", [1, 1, 1])]
)
async def test_a_grant_allows_its_level_and_no_more(
    ann: Person, bob: Person, role: str, through: str, level: str, allowed: list[int]
) -> None:
    await ann.invite(bob, role)
    document = ann.document["id"]
    await ann.json("PUT", f"/documents/{document}/access", json={"org_access": "none"})
    assert await may(bob, document) == [False, False, False]
    grantee = bob.user["id"]
    if through == "groups":
        grantee = (await ann.json("POST", f"/orgs/{ann.org['id']}/groups", json={"name": "Writers"}))["id"]
        await ann.json("PUT", f"/orgs/{ann.org['id']}/groups/{grantee}/members/{bob.user['id']}")
    path = f"/documents/{document}/grants/{through}/{grantee}"
    await ann.json("PUT", path, json={"level": level})
    assert await may(bob, document) == [bool(it) for it in allowed]
    assert (await bob.json("GET", f"/documents/{document}"))["level"] == level
    await ann.json("DELETE", path)
    assert await may(bob, document) == [False, False, False]
    assert (await ann.api.delete(path)).status_code == 404


async def test_the_highest_of_all_counts(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    document = ann.document["id"]
    await ann.json("PUT", f"/documents/{document}/access", json={"org_access": "comment"})
    await ann.grant(bob, "read")
    assert (await bob.json("GET", f"/documents/{document}"))["level"] == "comment"
    await ann.grant(bob, "write")
    [listed] = (await bob.json("GET", f"/orgs/{ann.org['id']}/documents"))["items"]
    assert (listed["level"], listed["org_access"]) == ("write", "comment")


async def test_a_reader_cannot_write_anywhere(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    document = f"/documents/{ann.document['id']}"
    await ann.json("PUT", f"{document}/access", json={"org_access": "comment"})
    octets = {"content-type": "application/octet-stream"}
    refused = [
        bob.api.post(f"{document}/updates", content=Pen().write("x"), headers=octets),
        bob.api.put(f"{document}/content", content="x", headers={"content-type": "text/markdown", "if-match": "*"}),
        bob.api.patch(document, json={"title": "x"}),
        bob.api.delete(document),
        bob.api.post(f"{document}/revisions", json={"name": "x"}),
        bob.api.get(f"{document}/share-links"),
        bob.api.post(f"{document}/share-links", json={}),
        bob.api.put(f"{document}/grants/users/{bob.user['id']}", json={"level": "manage"}),
        bob.api.put(f"{document}/access", json={"org_access": "write"}),
        bob.api.get(f"{document}/access-requests"),
    ]
    assert [answer.status_code for answer in await asyncio.gather(*refused)] == [403] * len(refused)
    assert (await bob.json("POST", f"{document}/collab-token"))["access"] == "read"


async def test_an_address_gets_it_at_once_or_by_invitation(ann: Person, bob: Person, stack: Stack) -> None:
    document = f"/documents/{ann.document['id']}"
    async with sign_up(stack.api, "Eve") as eve:
        await ann.invite(eve)
        at_once = await ann.json("POST", f"{document}/grants", json={"email": eve.email.upper(), "level": "manage"})
        assert (at_once["kind"], at_once["id"]) == ("user", eve.user["id"])
    waiting = await ann.json("POST", f"{document}/grants", json={"email": bob.email, "level": "write"})
    assert waiting["kind"] == "invitation"
    assert (await bob.api.get(document)).status_code == 404
    token = (await ann.json("POST", f"/orgs/{ann.org['id']}/invitations/{waiting['id']}/resend"))["token"]
    joined = await bob.json("POST", "/invitations/accept", json={"token": token})
    assert joined["role"] == "guest"
    assert (await bob.json("GET", document))["level"] == "write"
    kinds = [(item["kind"], item["name"]) for item in (await ann.json("GET", f"{document}/grants"))["items"]]
    assert sorted(kinds) == [("user", "Bob"), ("user", "Eve")]


async def test_a_grant_to_somebody_to_come_is_taken_back_with_the_invitation(ann: Person, bob: Person) -> None:
    document = f"/documents/{ann.document['id']}"
    waiting = await ann.json("POST", f"{document}/grants", json={"email": bob.email, "level": "write"})
    token = (await ann.json("POST", f"/orgs/{ann.org['id']}/invitations/{waiting['id']}/resend"))["token"]
    await ann.json("DELETE", f"{document}/grants/invitations/{waiting['id']}")
    assert (await bob.api.post("/invitations/accept", json={"token": token})).status_code == 404
    assert (await ann.json("GET", f"{document}/grants"))["items"] == []


async def test_a_second_invitation_adds_a_document(ann: Person, bob: Person) -> None:
    document = ann.document["id"]
    wish = {"email": bob.email, "level": "read"}
    both = [await ann.json("POST", f"/documents/{document}/grants", json=wish) for _ in range(2)]
    other = await ann.create_document("Other")
    both.append(await ann.json("POST", f"/documents/{other['id']}/grants", json=wish | {"level": "manage"}))
    for waiting, code in zip(both, (200, 200, 200), strict=True):
        token = (await ann.json("POST", f"/orgs/{ann.org['id']}/invitations/{waiting['id']}/resend"))["token"]
        assert (await bob.api.post("/invitations/accept", json={"token": token})).status_code == code
    levels = {
        item["id"]: item["level"] for item in (await bob.json("GET", f"/orgs/{ann.org['id']}/documents"))["items"]
    }
    assert levels == {document: "read", other["id"]: "manage"}


async def test_who_may_bring_guests_is_set(ann: Person, bob: Person, stack: Stack) -> None:
    await ann.invite(bob)
    mine = await bob.json("POST", f"/orgs/{ann.org['id']}/documents", json={"title": "By Bob"})
    wish = {"email": "x@example.com", "level": "read"}
    assert (await bob.api.post(f"/documents/{mine['id']}/grants", json=wish)).status_code == 201
    await ann.json("PATCH", f"/orgs/{ann.org['id']}", json={"members_may_share": False})
    assert (await bob.api.post(f"/documents/{mine['id']}/grants", json=wish)).status_code == 403
    assert (await bob.api.post(f"/documents/{mine['id']}/share-links", json={})).status_code == 403
    assert (await ann.api.post(f"/documents/{mine['id']}/grants", json=wish)).status_code == 201
    async with sign_up(stack.api, "Eve") as eve:  # a guest who manages does not bring others
        await ann.json("PATCH", f"/orgs/{ann.org['id']}", json={"members_may_share": True})
        await ann.invite(eve, "guest")
        await ann.json("PUT", f"/documents/{mine['id']}/grants/users/{eve.user['id']}", json={"level": "manage"})
        assert (await eve.api.post(f"/documents/{mine['id']}/grants", json=wish)).status_code == 403
        assert (await eve.api.post(f"/documents/{mine['id']}/share-links", json={})).status_code == 403


async def test_grants_stay_within_the_organization(ann: Person, bob: Person) -> None:
    theirs = (await bob.json("POST", f"/orgs/{bob.org['id']}/groups", json={"name": "Theirs"}))["id"]
    path = f"/documents/{ann.document['id']}/grants"
    for grantee in (f"users/{bob.user['id']}", f"groups/{theirs}", f"users/{uuid4()}", f"groups/{uuid4()}"):
        assert (await ann.api.put(f"{path}/{grantee}", json={"level": "read"})).status_code == 404
    for method in ("GET", "POST"):
        answer = await bob.api.request(method, path, json={"email": bob.email, "level": "manage"})
        assert answer.status_code == 404


async def test_leaving_ends_grants_for_good(ann: Person, bob: Person) -> None:
    await ann.invite(bob, "guest")
    await ann.grant(bob, "write")
    await bob.json("DELETE", f"/orgs/{ann.org['id']}/members/{bob.user['id']}")
    await ann.invite(bob, "guest")
    assert (await bob.api.get(f"/documents/{ann.document['id']}")).status_code == 404


async def test_asking_for_access(ann: Person, bob: Person, stack: Stack) -> None:
    await ann.invite(bob)
    document = f"/documents/{ann.document['id']}"
    await ann.json("PUT", f"{document}/access", json={"org_access": "none"})
    for message in ("", "please"):
        assert await bob.json("POST", f"{document}/access-requests", json={"level": "write", "message": message}) == {}
    [waiting] = (await ann.json("GET", f"{document}/access-requests"))["items"]
    assert (waiting["user_id"], waiting["level"], waiting["message"]) == (bob.user["id"], "write", "please")
    path = f"{document}/access-requests/{waiting['id']}"
    assert (await bob.api.post(f"{path}/approve", json={})).status_code == 403
    assert (await ann.json("POST", f"{path}/approve", json={"level": "comment"}))["state"] == "approved"
    assert (await bob.json("GET", document))["level"] == "comment"
    assert (await ann.api.post(f"{path}/approve", json={})).status_code == 404
    assert (await bob.api.post(f"{document}/access-requests", json={"level": "read"})).status_code == 409
    await bob.json("POST", f"{document}/access-requests", json={"level": "manage"})
    [again] = (await ann.json("GET", f"{document}/access-requests"))["items"]
    assert (await ann.json("POST", f"{document}/access-requests/{again['id']}/deny"))["state"] == "denied"
    assert (await bob.json("GET", document))["level"] == "comment"


async def test_twenty_wishes_at_once_are_one(ann: Person, bob: Person) -> None:
    await ann.invite(bob, "guest")
    document = f"/documents/{ann.document['id']}"
    wishes = [bob.api.post(f"{document}/access-requests", json={}) for _ in range(20)]
    assert {answer.status_code for answer in await asyncio.gather(*wishes)} == {202}
    assert len((await ann.json("GET", f"{document}/access-requests"))["items"]) == 1


async def test_outsiders_ask_without_learning_anything(ann: Person, bob: Person) -> None:
    answers = [
        await bob.api.post(f"/documents/{document}/access-requests", json={"message": "let me in"})
        for document in (ann.document["id"], str(uuid4()))
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(202, {})] * 2
    assert (await ann.json("GET", f"/documents/{ann.document['id']}/access-requests"))["items"] == []
