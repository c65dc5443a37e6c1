"""Documents below documents, and finding them."""

import asyncio
from typing import Any

from tests.people import Pen, Person


async def child(person: Person, title: str, parent: str | None) -> dict[str, Any]:
    wish = {"title": title, "parent_id": parent}
    made: dict[str, Any] = await person.json("POST", f"/orgs/{person.org['id']}/documents", json=wish)
    return made


async def move(person: Person, document: str, parent: str | None) -> int:
    return (await person.api.patch(f"/documents/{document}", json={"parent_id": parent})).status_code


async def test_documents_stand_below_documents(ann: Person) -> None:
    root = ann.document["id"]
    one = await child(ann, "One", root)
    two = await child(ann, "Two", one["id"])
    assert (one["parent_id"], two["parent_id"]) == (root, one["id"])
    assert await move(ann, root, two["id"]) == 409, "a circle"
    assert await move(ann, one["id"], one["id"]) == 409
    assert await move(ann, two["id"], root) == 200
    assert await move(ann, two["id"], None) == 200
    listed = await ann.json("GET", f"/orgs/{ann.org['id']}/documents")
    assert {item["title"]: item["parent_id"] for item in listed["items"]} == {"Notes": None, "One": root, "Two": None}


async def test_two_moves_at_once_make_no_circle(ann: Person) -> None:
    for _ in range(5):
        one, two = await child(ann, "One", None), await child(ann, "Two", None)
        answers = await asyncio.gather(move(ann, one["id"], two["id"]), move(ann, two["id"], one["id"]))
        assert sorted(answers) == [200, 409]


async def test_only_below_what_one_may_write(ann: Person, bob: Person) -> None:
    assert await move(ann, ann.document["id"], bob.document["id"]) == 404
    wish = {"title": "Mine", "parent_id": bob.document["id"]}
    assert (await ann.api.post(f"/orgs/{ann.org['id']}/documents", json=wish)).status_code == 404
    org, own = ann.org["id"], ann.document["id"]
    await ann.found_org("Other")
    await ann.create_document("Elsewhere")
    assert await move(ann, own, ann.document["id"]) == 422, "of another organization"
    assert (await ann.api.post(f"/orgs/{org}/documents", json={"title": "", "parent_id": own})).status_code == 201


async def test_a_title_stays_where_it_is_not_named(ann: Person) -> None:
    path = f"/documents/{ann.document['id']}"
    assert (await ann.api.patch(path, json={})).json()["title"] == "Notes"
    assert (await ann.api.patch(path, json={"title": None})).status_code == 422
    changed = await ann.api.patch(path, json={"title": "New", "parent_id": None}, headers={"if-match": '"1"'})
    assert changed.json()["title"] == "New"


async def search(person: Person, question: str) -> list[dict[str, Any]]:
    found = await person.json("GET", f"/orgs/{person.org['id']}/search", params={"q": question})
    hits: list[dict[str, Any]] = found["items"]
    return hits


async def eventually(person: Person, question: str) -> list[dict[str, Any]]:
    """The pipeline brings the words into the index."""
    async with asyncio.timeout(30):
        while not (hits := await search(person, question)):
            await asyncio.sleep(0.1)
    return hits


async def test_documents_are_found_by_their_words(ann: Person, bob: Person) -> None:
    await ann.save(Pen().write("The quick brown fox & <b>jumps</b> over 42 dögs"))
    [hit] = await eventually(ann, "bro jump")
    assert hit["document_id"] == ann.document["id"]
    assert {part["text"] for part in hit["excerpt"] if part["hit"]} == {"brown", "jumps"}
    assert "quick brown fox" in "".join(part["text"] for part in hit["excerpt"])
    assert [hit["title"] for hit in await search(ann, "not")] == ["Notes"], "by the title"
    assert len(await search(ann, "DÖGS 42")) == 1
    assert await search(ann, "cat") == []
    assert await search(bob, "brown") == []
    for odd in ("'", "a' | 'b", "!&|()<->:*", "\\", "-- ;", "%"):
        await search(ann, odd)


async def test_only_what_one_may_read_is_found(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    bob.org = ann.org
    assert len(await search(bob, "Notes")) == 1
    await ann.json("DELETE", f"/documents/{ann.document['id']}")
    assert await search(bob, "Notes") == []
