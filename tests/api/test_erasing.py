"""Deleting documents for good."""

import asyncio
from uuid import UUID

from sqlalchemy import text

from infra.db import Database
from tests.people import Pen, Person

OUTLIVE = {"pipeline_runs", "import_items"}
"""The ledger, and the reports of imports, name documents by their ids."""


async def traces(owner_db: Database, document_id: UUID) -> dict[str, int]:
    """In which tables there are rows of a document, and how many."""
    found = {}
    async with owner_db.transaction() as session:
        tables = await session.scalars(
            text("SELECT table_name FROM information_schema.columns WHERE column_name = 'document_id'")
        )
        for table in tables.all():
            query = text(f"SELECT count(*) FROM {table} WHERE document_id = :id")
            if count := await session.scalar(query, {"id": document_id}):
                found[table] = count
    return found


async def test_only_from_the_trash_and_with_everything(ann: Person, bob: Person, owner_db: Database) -> None:
    await ann.invite(bob)
    path = f"/documents/{ann.document['id']}"
    await ann.save(Pen().write("secret"))
    await ann.json("POST", f"{path}/revisions", json={"name": "One"})
    await ann.json("POST", f"{path}/exports", json={"format": "markdown"})
    await ann.grant(bob, "write")
    await ann.share(level="read")
    below = await ann.json(
        "POST", f"/orgs/{ann.org['id']}/documents", json={"title": "Below", "parent_id": ann.document["id"]}
    )
    refused = await ann.api.post(f"{path}/erase")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:doxie:NotInTrash")
    await ann.json("DELETE", path)
    assert (await bob.api.post(f"{path}/erase")).status_code == 403
    assert {"document_updates", "revisions", "document_grants"} <= (await traces(owner_db, ann.document_id)).keys()

    answers = await asyncio.gather(*(ann.api.post(f"{path}/erase") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404]
    assert (await traces(owner_db, ann.document_id)).keys() <= OUTLIVE
    assert (await ann.api.post(f"{path}/recover")).status_code == 404
    assert (await ann.json("GET", f"/documents/{below['id']}"))["parent_id"] is None
    [noted] = (await ann.json("GET", f"/orgs/{ann.org['id']}/audit", params={"action": "document.erased"}))["items"]
    assert noted["target_id"] == ann.document["id"]
    assert noted["details"] == {"title": "Notes", "seq": 1}


async def test_emptying_takes_what_one_manages(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    documents = f"/orgs/{ann.org['id']}/documents"
    kept = await ann.create_document("kept")
    for person in (ann, bob):
        for title in ("one", "two"):
            made = await person.json("POST", documents, json={"title": f"{person.user['name']} {title}"})
            await person.json("DELETE", f"/documents/{made['id']}")
    empty = f"/orgs/{ann.org['id']}/trash/empty"
    assert await bob.json("POST", empty) == {"erased": 2}
    left = (await ann.json("GET", f"{documents}?trashed=true"))["items"]
    assert {item["title"] for item in left} == {"Ann one", "Ann two"}
    assert await ann.json("POST", empty) == {"erased": 2}
    assert await ann.json("POST", empty) == {"erased": 0}
    assert kept["id"] in {item["id"] for item in (await ann.json("GET", documents))["items"]}


async def test_a_read_token_erases_nothing(ann: Person) -> None:
    await ann.json("DELETE", f"/documents/{ann.document['id']}")
    token = (await ann.json("POST", "/auth/tokens", json={"name": "Script", "scopes": ["read"]}))["token"]
    headers = {"authorization": f"Bearer {token}"}
    for path in (f"/documents/{ann.document['id']}/erase", f"/orgs/{ann.org['id']}/trash/empty"):
        assert (await ann.api.post(path, headers=headers)).status_code == 403
