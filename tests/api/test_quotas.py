"""What an organization may have at most: counted exactly for members and documents, within seconds for bytes."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner, Result

from flows import operating
from flows.cli import app
from infra.db import Database
from models.documents.usage import CHECK_SECONDS, Fullness
from tests.api.test_imports import ended
from tests.conftest import Stack
from tests.models.imports.zips import pack
from tests.people import OCTETS, Pen, Person, sign_up


async def usage(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = await person.json("GET", f"/orgs/{person.org['id']}/usage")
    return found


async def saving(person: Person, pen: Pen, status: int) -> list[int]:
    """Autosave until it is answered so; what it was answered before."""
    path = f"/documents/{person.document['id']}/updates"
    before: list[int] = []
    async with asyncio.timeout(6 * CHECK_SECONDS):
        while (
            answer := await person.api.post(path, content=pen.write("x" * 100), headers=OCTETS)
        ).status_code != status:
            before.append(answer.status_code)
            await asyncio.sleep(0.2)
    if status >= 400:
        assert answer.json()["type"] == "urn:doxie:OrganizationFull"
    return before


async def test_bytes(ann: Person, bob: Person) -> None:
    """Who is full keeps what is there and reads it; it is let in again when there is room."""
    await operating.set_quota(ann.org_id, bytes=2_000)
    pen = Pen()
    saved = await saving(ann, pen, 413)
    assert set(saved) == {202}
    there = await usage(ann)
    assert there["bytes"]["used"] >= 2_000 == there["bytes"]["limit"]
    assert there["documents"] == {"used": 1, "limit": None}
    assert (await ann.json("GET", f"/documents/{ann.document['id']}"))["seq"] == len(saved), (
        "what was refused is not there"
    )
    assert await ann.text() == "x" * 100 * len(saved)
    document = {"title": "One more"}
    for path, options in (
        (f"/orgs/{ann.org['id']}/documents", {"json": document}),
        (f"/orgs/{ann.org['id']}/imports", {"content": b"# More", "headers": {"content-type": "text/markdown"}}),
    ):
        answer = await ann.api.post(path, **options)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:doxie:QuotaReached")
    await bob.found_org()
    await bob.create_document()
    assert await bob.save(Pen().write("others are not concerned")) == 1
    await ann.json("DELETE", f"/documents/{ann.document['id']}")
    await ann.json("POST", f"/documents/{ann.document['id']}/erase")
    assert (await usage(ann))["bytes"]["used"] == 0
    await ann.create_document()
    assert set(await saving(ann, Pen(), 202)) <= {413}


async def test_documents_are_counted_exactly(ann: Person) -> None:
    await operating.set_quota(ann.org_id, documents=4)
    path = f"/orgs/{ann.org['id']}/documents"
    answers = await asyncio.gather(*(ann.api.post(path, json={"title": "New"}) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [403] * 9
    assert "all the documents it may have: 4" in max(answers, key=lambda answer: answer.status_code).json()["detail"]
    await operating.set_quota(ann.org_id, documents=None)
    assert (await ann.api.post(path, json={"title": "New"})).status_code == 201


async def test_an_import_takes_in_what_there_is_room_for(ann: Person) -> None:
    await operating.set_quota(ann.org_id, documents=3)
    files: dict[str, bytes | str] = {f"{number}.md": "# Words" for number in range(4)}
    wish = await ann.json(
        "POST", f"/orgs/{ann.org['id']}/imports", content=pack(files), headers={"content-type": "application/zip"}
    )
    done = await ended(ann, f"/imports/{wish['id']}")
    assert sorted(item["state"] for item in done["items"]) == ["failed"] * 2 + ["imported"] * 2
    assert "all the documents" in next(item["error"] for item in done["items"] if item["error"])


async def test_members_are_counted_exactly(ann: Person, stack: Stack) -> None:
    await operating.set_quota(ann.org_id, members=2)
    async with sign_up(stack.api, "Bob") as bob, sign_up(stack.api, "Eve") as eve:
        tokens = [await ann.invitation(person.email) for person in (bob, eve)]
        answers = await asyncio.gather(
            *(
                person.api.post("/invitations/accept", json={"token": token})
                for person, token in zip((bob, eve), tokens, strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 403]
        refused = await ann.api.post(f"/orgs/{ann.org['id']}/invitations", json={"email": "more@example.com"})
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:doxie:QuotaReached")
        await operating.set_quota(ann.org_id, members=3)
        late = [
            (person, token)
            for person, token, answer in zip((bob, eve), tokens, answers, strict=True)
            if answer.is_error
        ]
        for person, token in late:
            await person.json("POST", "/invitations/accept", json={"token": token})
    assert (await usage(ann))["members"] == {"used": 3, "limit": 3}


async def test_operators_set_and_see_them(ann: Person) -> None:
    async def quota(*arguments: str, org: str = "") -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["admin", "quota", org or str(ann.org_id), *arguments])

    shown = await quota("--members", "5", "--bytes", "1000000")
    assert shown.exit_code == 0, shown.output
    assert {"members", "5", "1000000", "any"} <= set(shown.output.replace("│", " ").split())
    await quota("--members", "default")
    assert (await usage(ann))["members"] == {"used": 1, "limit": None}
    acts = (await ann.json("GET", f"/orgs/{ann.org['id']}/audit"))["items"]
    assert [act["details"] for act in acts if act["action"] == "org.quota_changed"] == [
        {"members": None},
        {"bytes": 1000000, "members": 5},
    ]
    for wrong in (["--members", "many"], ["--documents", "-1"], ["--bytes", str(2**63)]):
        assert (await quota(*wrong)).exit_code == 2
    assert (await quota("--members", "1", org=str(uuid4()))).exit_code == 1


async def test_an_organization_cannot_give_itself_more(ann: Person, db: Database) -> None:
    for statement in ("INSERT INTO org_quotas (org_id) VALUES (:org)", "UPDATE org_quotas SET bytes = NULL"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with db.transaction(org_ids=[ann.org_id]) as session:
                await session.execute(text(statement), {"org": ann.org_id})


async def test_who_is_far_from_the_limit_is_not_counted_again(
    ann: Person, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting reads a row for each document: it must not be done for everybody all the time."""
    await operating.set_quota(ann.org_id, bytes=10**12)
    known, asked = Fullness(), []
    real = db.transaction

    def noted(**scope: Any) -> Any:
        asked.append(scope["org_ids"])
        return real(**scope)

    monkeypatch.setattr(db, "transaction", noted)
    for _ in range(3):
        assert not known.has(ann.org_id)
        await known.look(db)
    assert asked == [[ann.org_id]]
