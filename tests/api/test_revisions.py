"""Revisions over REST: what changed, who wrote what, taking back, and how long they are kept."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from infra.db import Database
from tests.conftest import Stack
from tests.people import Pen, Person, sign_up

MARKDOWN = {"content-type": "text/markdown"}


@pytest.fixture
async def cat(stack: Stack, ann: Person) -> AsyncIterator[Person]:
    """Somebody who works with Ann."""
    async with sign_up(stack.api, "Cat") as person:
        await ann.invite(person)
        person.org, person.document = ann.org, ann.document
        yield person


async def write(person: Person, source: str) -> int:
    path = f"/documents/{person.document['id']}/content"
    answer = await person.json("PUT", path, content=source.encode(), headers={**MARKDOWN, "if-match": "*"})
    return int(answer["seq"])


async def keep(person: Person, name: str) -> int:
    path = f"/documents/{person.document['id']}/revisions"
    return int((await person.json("POST", path, json={"name": name}))["number"])


async def read(person: Person) -> str:
    answer = await person.api.get(f"/documents/{person.document['id']}/content", headers={"accept": "text/markdown"})
    return answer.raise_for_status().text


async def test_two_revisions_are_compared(ann: Person) -> None:
    await write(ann, "# Plan\n\nBuy milk.\n\n- [ ] call Bob\n")
    first = await keep(ann, "first")
    await write(ann, "# Plan\n\nBuy **oat** milk.\n\n- [x] call Bob\n")
    second = await keep(ann, "second")
    path = f"/documents/{ann.document['id']}"
    found = await ann.json("GET", f"{path}/revisions/{second}/diff?from={first}")
    assert (found["seq_from"], found["seq_to"]) == (1, 2)
    assert {"type": "insertion", "attrs": {"move": None}} in found["content"]["content"][1]["content"][1]["marks"]
    html = (await ann.api.get(f"{path}/revisions/{second}/diff?from={first}", headers={"accept": "text/html"})).text
    assert "<p>Buy <ins><strong>oat</strong> </ins>milk.</p>" in html.replace("</ins><ins>", "")
    assert "<del>☐ </del><ins>☑ </ins>" in html
    back = await ann.api.get(f"{path}/revisions/{first}/diff?from={second}", headers={"accept": "text/html"})
    assert "<del>☑ </del><ins>☐ </ins>" in back.text
    await write(ann, "# Plan\n")
    now = await ann.api.get(f"{path}/diff?from={second}", headers={"accept": "text/html"})
    assert "<del><p>Buy <strong>oat</strong> milk.</p></del>" in now.text
    assert (await ann.api.get(f"{path}/revisions/{second}/diff?from=99")).status_code == 404
    assert (await ann.api.get(f"{path}/revisions/{second}/diff")).status_code == 422
    unknown = await ann.api.get(f"{path}/diff?from=0", headers={"accept": "image/png"})
    assert unknown.status_code == 406


async def test_plain_texts_are_compared(ann: Person) -> None:
    pen = Pen()
    await ann.save(pen.write("one two"))
    await keep(ann, "first")
    await ann.save(pen.write(" three"))
    found = await ann.json("GET", f"/documents/{ann.document['id']}/diff?from=1")
    assert found["texts"] == {
        "content": [{"op": "equal", "text": "one two"}, {"op": "insert", "text": " three"}],
    }


async def test_each_part_has_its_author(ann: Person, cat: Person) -> None:
    await write(ann, "Ann wrote this.")
    await keep(ann, "hers")
    await write(cat, "Ann wrote this. Cat added that.")
    path = f"/documents/{ann.document['id']}"
    now = await ann.json("GET", f"{path}/attribution")
    parts = now["content"]["content"][0]["content"]
    assert [(part["text"], part["marks"][-1]["attrs"]["user_id"]) for part in parts] == [
        ("Ann wrote this.", ann.user["id"]),
        (" Cat added that.", cat.user["id"]),
    ]
    assert now["authors"] == [
        {"user_id": cat.user["id"], "characters": 16},
        {"user_id": ann.user["id"], "characters": 15},
    ]
    then = await ann.json("GET", f"{path}/revisions/1/attribution")
    assert [author["user_id"] for author in then["authors"]] == [ann.user["id"]]


async def test_one_persons_edits_are_undone(ann: Person, cat: Person) -> None:
    await write(ann, "The cat sat.")
    await keep(ann, "before")
    await write(cat, "The dog sat.")
    await write(ann, "The dog sat. On the mat.")
    path = f"/documents/{ann.document['id']}/undo"
    undone = await ann.json("POST", path, json={"user_id": cat.user["id"], "revision": 1})
    assert undone["seq"] == 4
    assert await read(ann) == "The cat sat. On the mat.\n"
    again = await ann.api.post(path, json={"user_id": cat.user["id"], "since_seq": 2})
    assert again.status_code == 409
    both = await ann.api.post(path, json={"user_id": cat.user["id"], "since_seq": 2, "revision": 1})
    assert both.status_code == 422
    revisions = await ann.json("GET", f"/documents/{ann.document['id']}/revisions")
    assert (revisions["items"][0]["kind"], revisions["items"][0]["seq_to"]) == ("restore", 4)


async def test_naming_and_restoring_at_once_do_not_block_each_other(ann: Person) -> None:
    await write(ann, "zero")
    number = await keep(ann, "zero")
    path = f"/documents/{ann.document['id']}/revisions"
    for round_ in range(5):
        await write(ann, f"round {round_}")
        answers = await asyncio.gather(
            *(ann.api.post(path, json={"name": f"{round_}.{turn}"}) for turn in range(3)),
            ann.api.post(f"{path}/{number}/restore"),
            ann.api.post(f"{path}/{number}/restore"),
        )
        statuses = [answer.status_code for answer in answers]
        assert statuses == [201, 201, 201, 200, 200]


async def test_revisions_are_thinned_but_never_named_ones(ann: Person, cat: Person, owner_db: Database) -> None:
    org = ann.org["id"]
    assert (await ann.json("GET", f"/orgs/{org}/retention"))["all_days"] is None
    pen = Pen()
    for number in range(6):
        await ann.save(pen.write(f"{number} "))
        await stored(ann, number + 1)
    await keep(ann, "precious")
    await stored(ann, 7)
    async with owner_db.transaction(org_ids=[ann.org_id]) as session:
        # All of one hour, 40 days ago: far enough for one a day.
        await session.execute(
            text(
                "UPDATE revisions SET created_at = date_trunc('day', now()) - interval '40 days'"
                " + make_interval(mins => number) WHERE document_id = :id"
            ),
            {"id": ann.document_id},
        )
    policy = {"all_days": 1, "hourly_days": 7, "daily_days": 365}
    assert (await cat.api.put(f"/orgs/{org}/retention", json=policy)).status_code == 403
    wrong = {"all_days": 9, "hourly_days": 7, "daily_days": 365}
    assert (await ann.api.put(f"/orgs/{org}/retention", json=wrong)).status_code == 422
    set_ = await ann.json("PUT", f"/orgs/{org}/retention", json=policy)
    assert (set_["daily_days"], set_["updated_by"]) == (365, ann.user["id"])
    kept = await until_thinned(ann, 2)
    assert [(item["number"], item["kind"], item["seq_from"], item["seq_to"]) for item in kept] == [
        (7, "named", 7, 6),
        (6, "automatic", 1, 6),
    ]
    assert await ann.text(seq=3) == "0 1 2 "


async def stored(person: Person, number: int) -> None:
    """Wait for the pipeline to store a revision."""
    path = f"/documents/{person.document['id']}/revisions/{number}"
    async with asyncio.timeout(60):
        while True:
            answer = await person.api.get(path)
            if answer.status_code == 200 and answer.json()["state"] == "stored":
                return
            await asyncio.sleep(0.1)


async def until_thinned(person: Person, left: int) -> list[dict[str, object]]:
    async with asyncio.timeout(60):
        while True:
            items: list[dict[str, object]] = (
                await person.json("GET", f"/documents/{person.document['id']}/revisions")
            )["items"]
            if len(items) <= left:
                return items
            await asyncio.sleep(0.1)
