"""The audit log of an organization, and the log of an account."""

import csv
import io
import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import models.migrations.tables  # noqa: F401 (every table)
from infra.db import Database
from models import audit
from models.audit import AccountAct, Act
from tests.people import Person


async def noted(db: Database, person: Person, act: Act, **details: str) -> None:
    async with db.transaction(org_ids=[person.org_id]) as session:
        await audit.record(session, person.org_id, None, act, person.document_id, **details)


async def test_acts_are_paged_and_filtered(ann: Person, db: Database) -> None:
    for number in range(5):
        await noted(db, ann, Act.DOCUMENT_TRASHED, number=str(number))
        await noted(db, ann, Act.DOCUMENT_RECOVERED)
    path = f"/orgs/{ann.org['id']}/audit"
    numbers, cursor = [], None
    while True:
        wanted = {"action": "document.trashed", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = await ann.json("GET", path, params=wanted)
        numbers += [item["details"]["number"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert numbers == ["4", "3", "2", "1", "0"]
    for nobody in ({"actor_id": str(uuid4())}, {"target_id": str(uuid4())}, {"until": "2020-01-01T00:00:00Z"}):
        assert (await ann.json("GET", path, params=nobody))["items"] == []
    both = await ann.json("GET", path, params={"target_id": ann.document["id"], "since": "2020-01-01T00:00:00Z"})
    assert len([item for item in both["items"] if item["actor_id"] is None]) == 10


@pytest.mark.parametrize("role", ["member", "admin"])
async def test_admins_read_it_and_members_do_not(ann: Person, bob: Person, role: str) -> None:
    await ann.invite(bob, role)
    expected = 200 if role == "admin" else 403
    for path in ("audit", "audit/export"):
        assert (await bob.api.get(f"/orgs/{ann.org['id']}/{path}")).status_code == expected


async def test_it_is_exported_whole(ann: Person, db: Database) -> None:
    formula = '=HYPERLINK("https://evil.example")'
    for number in range(3):
        await noted(db, ann, Act.DOCUMENT_TRASHED, number=str(number), text='"quoted",\nand more')
    async with db.transaction(org_ids=[ann.org_id]) as session:
        insert = text("""
            INSERT INTO audit_events (org_id, id, action, details, request_id, ip, user_agent, created_at)
            SELECT :org, uuidv7(), 'document.recovered', '{}', '', '', :agent, now() FROM generate_series(1, 1200)
        """)
        await session.execute(insert, {"org": ann.org_id, "agent": formula})
    path = f"/orgs/{ann.org['id']}/audit/export"
    lines = (await ann.api.get(path)).text.splitlines()
    events = [json.loads(line) for line in lines]
    assert sum(event["action"] == "document.recovered" for event in events) == 1200
    assert len({event["id"] for event in events}) == len(events)
    answer = await ann.api.get(path, params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert {row["user_agent"] for row in rows if row["action"] == "document.recovered"} == {f"'{formula}"}
    trashed = [json.loads(row["details"]) for row in rows if row["action"] == "document.trashed"]
    assert trashed == [{"number": str(number), "text": '"quoted",\nand more'} for number in (2, 1, 0)]
    assert rows[0]["action"] == "audit.exported", "the export before this one is noted"


async def test_another_organization_shows_nothing(ann: Person, bob: Person, db: Database) -> None:
    await noted(db, bob, Act.DOCUMENT_TRASHED)
    assert (await ann.api.get(f"/orgs/{bob.org['id']}/audit")).status_code == 404
    own = await ann.json("GET", f"/orgs/{ann.org['id']}/audit")
    assert bob.document["id"] not in json.dumps(own)


async def test_everybody_reads_their_own_log(ann: Person, bob: Person, db: Database) -> None:
    async with db.transaction() as session:
        await audit.record_account(session, UUID(ann.user["id"]), AccountAct.SIGN_IN_FAILED, method="password")
    assert "account.sign_in_failed" in [item["action"] for item in (await ann.json("GET", "/auth/log"))["items"]]
    assert "account.sign_in_failed" not in [item["action"] for item in (await bob.json("GET", "/auth/log"))["items"]]


@pytest.mark.parametrize("table", ["audit_events", "account_events"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'nothing'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_application_cannot_change_what_was_noted(
    ann: Person, db: Database, table: str, statement: str
) -> None:
    await noted(db, ann, Act.DOCUMENT_TRASHED)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with db.transaction(user_id=UUID(ann.user["id"]), org_ids=[ann.org_id]) as session:
            await session.execute(text(statement.format(table)))
