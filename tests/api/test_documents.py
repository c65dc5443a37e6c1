"""Documents, autosave, state, content, revisions over REST."""

import asyncio
import base64
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from infra.db import Database
from models import lib0
from tests.people import OCTETS, Pen, Person, text_of


async def test_autosave_is_in_the_journal_when_it_is_answered(ann: Person, owner_db: Database) -> None:
    pen = Pen()
    updates = [pen.write(word) for word in ("one ", "two ", "three")]
    assert [await ann.save(update) for update in updates] == [1, 2, 3]
    async with owner_db.transaction() as session:
        rows = await session.execute(
            text("SELECT seq, payload, actor_id FROM document_updates WHERE document_id = :id ORDER BY seq"),
            {"id": ann.document_id},
        )
        journal = [(row.seq, bytes(row.payload), str(row.actor_id)) for row in rows]
    assert journal == [(seq, update, ann.user["id"]) for seq, update in enumerate(updates, 1)]
    assert await ann.text() == "one two three"


async def test_concurrent_autosaves_get_gapless_seqs(ann: Person) -> None:
    pens = [Pen() for _ in range(20)]
    seqs = await asyncio.gather(*(ann.save(pen.write("x")) for pen in pens))
    assert sorted(seqs) == list(range(1, 21))
    assert await ann.text() == "x" * 20


async def test_late_updates_wait_and_are_not_lost(ann: Person) -> None:
    pen = Pen()
    first, second, third = pen.write("a"), pen.write("b"), pen.write("c")
    await ann.save(third)
    await ann.save(second)
    whole = await ann.api.get(f"/documents/{ann.document['id']}/state")
    assert text_of(whole.content) == ""
    await ann.save(first)
    assert await ann.text() == "abc"


async def test_a_deletion_that_comes_first_still_deletes(ann: Person) -> None:
    pen = Pen()
    insertion, deletion = pen.write("abc"), pen.erase(0, 2)
    await ann.save(deletion)
    await ann.save(insertion)
    assert await ann.text() == "c"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"\xff" * 40, 422),
        (b"\x01", 422),
        (b"not an update", 422),
        (lib0.varuint(2**28) + b"\1", 422),
        (bytes(1024 * 1024 + 1), 413),
    ],
)
async def test_bad_updates_leave_no_trace(ann: Person, body: bytes, status: int) -> None:
    answer = await ann.api.post(f"/documents/{ann.document['id']}/updates", content=body, headers=OCTETS)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await ann.json("GET", f"/documents/{ann.document['id']}"))["seq"] == 0


async def test_nested_bombs_hurt_nobody(ann: Person) -> None:
    from pycrdt import Array, Doc

    doc: Doc[Any] = Doc()
    level: Any = doc.get("bomb", type=Array)
    with doc.transaction():
        for _ in range(20_000):
            level.append(Array())
            level = level[0]
    await ann.save(doc.get_update())
    assert (await ann.api.get(f"/documents/{ann.document['id']}/state")).status_code == 200


async def test_foreign_and_unknown_documents_look_the_same(ann: Person, bob: Person) -> None:
    update = Pen().write("x")
    answers = []
    for document_id in (ann.document["id"], uuid4()):
        answer = await bob.api.post(f"/documents/{document_id}/updates", content=update, headers=OCTETS)
        assert answer.status_code == 404
        answers.append({k: v for k, v in answer.json().items() if k not in ("instance", "request_id")})
    assert answers[0] == answers[1]


async def test_state_since_a_state_vector(ann: Person) -> None:
    pen = Pen()
    await ann.save(pen.write("a" * 10_000))
    state_vector = base64.urlsafe_b64encode(pen.doc.get_state()).decode().rstrip("=")
    await ann.save(pen.write("b"))
    answer = await ann.api.get(f"/documents/{ann.document['id']}/state", params={"sv": state_vector})
    assert len(answer.content) < 100
    bad = await ann.api.get(f"/documents/{ann.document['id']}/state", params={"sv": "%%%"})
    assert bad.status_code == 422
    huge = base64.urlsafe_b64encode(lib0.varuint(2**28) + b"\1").decode()
    bad = await ann.api.get(f"/documents/{ann.document['id']}/state", params={"sv": huge})
    assert bad.status_code == 422


async def test_time_travel(ann: Person) -> None:
    pen = Pen()
    for word in "abcdef":
        await ann.save(pen.write(word))
    assert [await ann.text(seq=seq) for seq in range(7)] == ["abcdef"[:seq] for seq in range(7)]
    beyond = await ann.api.get(f"/documents/{ann.document['id']}/state", params={"seq": 7})
    assert beyond.status_code == 422


async def test_renaming_honours_if_match(ann: Person) -> None:
    path = f"/documents/{ann.document['id']}"
    etag = (await ann.api.get(path)).headers["etag"]
    renamed = await ann.api.patch(path, json={"title": "New"}, headers={"if-match": etag})
    assert renamed.json()["title"] == "New"
    assert renamed.headers["etag"] != etag
    stale = await ann.api.patch(path, json={"title": "Old"}, headers={"if-match": etag})
    assert stale.status_code == 412


async def test_trash_closes_the_journal_and_recovers(ann: Person) -> None:
    path = f"/documents/{ann.document['id']}"
    await ann.save(Pen().write("kept"))
    assert (await ann.api.delete(path)).status_code == 204
    assert (await ann.api.get(path)).status_code == 404
    listing = f"/orgs/{ann.org['id']}/documents"
    assert (await ann.json("GET", listing))["items"] == []
    [trashed] = (await ann.json("GET", f"{listing}?trashed=true"))["items"]
    assert (trashed["id"], trashed["level"], trashed["trashed_at"] is None) == (ann.document["id"], "manage", False)
    answer = await ann.api.post(f"{path}/updates", content=Pen().write("x"), headers=OCTETS)
    assert answer.status_code == 404
    await ann.json("POST", f"{path}/recover")
    assert (await ann.json("GET", f"{listing}?trashed=true"))["items"] == []
    assert await ann.text() == "kept"


async def test_documents_are_paged(ann: Person) -> None:
    ids = [ann.document["id"], *[(await ann.create_document(str(n)))["id"] for n in range(4)]]
    seen, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await ann.json("GET", f"/orgs/{ann.org['id']}/documents", params=parameters)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    bad = await ann.api.get(f"/orgs/{ann.org['id']}/documents", params={"cursor": "nonsense"})
    assert bad.status_code == 422


async def test_the_same_request_twice_has_one_effect(ann: Person) -> None:
    path, headers = f"/orgs/{ann.org['id']}/documents", {"idempotency-key": "once"}
    twice = [ann.api.post(path, json={"title": "T"}, headers=headers) for _ in range(5)]
    answers = await asyncio.gather(*twice)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1
    other = await ann.api.post(path, json={"title": "Other"}, headers=headers)
    assert other.status_code == 422
    assert len((await ann.json("GET", path))["items"]) == 2


async def test_content_as_markdown_json_and_html(ann: Person) -> None:
    path = f"/documents/{ann.document['id']}/content"
    markdown = "# Title\n\nSome *text*.\n"
    headers = {"content-type": "text/markdown", "if-match": '"0"'}
    written = await ann.api.put(path, content=markdown, headers=headers)
    assert written.json() == {"seq": 1}
    read = await ann.api.get(path, headers={"accept": "text/markdown"})
    assert read.text.strip() == markdown.strip()
    assert read.headers["etag"] == written.headers["etag"]
    tree = (await ann.api.get(path, headers={"accept": "application/json"})).json()
    assert [node["type"] for node in tree["content"]] == ["heading", "paragraph"]
    assert "<h1>Title</h1>" in (await ann.api.get(path, headers={"accept": "text/html"})).text
    tree["content"][1]["content"][0]["text"] = "More "
    put = {"content-type": "application/json", "if-match": '"1"'}
    assert (await ann.api.put(path, json=tree, headers=put)).json() == {"seq": 2}


async def test_content_writes_need_the_version_they_saw(ann: Person) -> None:
    path, kind = f"/documents/{ann.document['id']}/content", {"content-type": "text/markdown"}
    assert (await ann.api.put(path, content="x", headers=kind)).status_code == 428
    await ann.api.put(path, content="x", headers=kind | {"if-match": '"0"'})
    same = await ann.api.put(path, content="x", headers=kind | {"if-match": '"1"'})
    assert same.json() == {"seq": 1}
    stale = await ann.api.put(path, content="y", headers=kind | {"if-match": '"0"'})
    assert stale.status_code == 412
    assert (await ann.api.put(path, content="y", headers=kind | {"if-match": "*"})).status_code == 200
    image = {"content-type": "image/png", "if-match": "*"}
    assert (await ann.api.put(path, content="y", headers=image)).status_code == 415
    broken = {"content-type": "application/json", "if-match": "*"}
    assert (await ann.api.put(path, content='{"type": "evil"', headers=broken)).status_code == 422
    assert (await ann.api.get(path, headers={"accept": "image/png"})).status_code == 406


async def test_restoring_a_revision_is_an_edit(ann: Person) -> None:
    pen, path = Pen(), f"/documents/{ann.document['id']}/revisions"
    await ann.save(pen.write("first"))
    named = await ann.json("POST", path, json={"name": "Draft"})
    await ann.save(pen.erase(0, 5))
    await ann.save(pen.write("second"))
    restored = await ann.json("POST", f"{path}/{named['number']}/restore")
    assert restored["seq"] == 4
    assert await ann.text() == "first"
    assert await ann.text(seq=3) == "second"
    current = await ann.json("POST", path, json={"name": "Now"})
    assert (await ann.api.post(f"{path}/{current['number']}/restore")).status_code == 409
    assert (await ann.api.post(f"{path}/999/restore")).status_code == 404
