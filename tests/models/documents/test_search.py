"""Searching by the indexes of words, and what one may not read in between."""

import sys
from uuid import UUID

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.db import Database
from models import documents, orgs
from models.auth import Actor
from tests.conftest import Stack
from tests.people import Person

MODULE = sys.modules[documents.search.__module__]
MANY = 3_000
INDEXES = ("ix_documents_title_words", "ix_document_texts_words")

_FILL = """
    WITH numbers AS (SELECT n, uuidv7() AS id FROM generate_series(1, :many) AS n),
    made AS (
        INSERT INTO documents (org_id, id, title, version, org_access, created_by, created_at, updated_at)
        SELECT :org, id, 'Title' || n, 1, 3, :user, now(), now() FROM numbers
    ), streams AS (
        INSERT INTO document_streams (org_id, document_id, seq, chain, bytes_total, closed, snapshot_seq)
        SELECT :org, id, 0, '\\x00', 0, false, 0 FROM numbers
    )
    INSERT INTO document_texts (org_id, document_id, seq, text, words, updated_at)
    SELECT :org, id, 0, 'needle' || n || repeat(' hay', 300), 301, now() FROM numbers
"""


def actor(person: Person) -> Actor:
    return Actor(UUID(person.user["id"]), None, person.user["name"])


async def scans(session: AsyncSession) -> dict[str, int]:
    """How often indexes were scanned in this transaction, and how many texts were read."""
    counts = {name: f"pg_stat_get_xact_numscans('{name}'::regclass)" for name in (*INDEXES, "document_texts")}
    texts = "(SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'document_texts')"
    columns = ", ".join(f"{count} AS {name}" for name, count in counts.items())
    row = (await session.execute(text(f"SELECT {columns}, {texts} AS read"))).one()
    return dict(row._mapping)


async def test_the_indexes_are_used(ann: Person, owner_db: Database, stack: Stack) -> None:
    """As the application, under row-level security, in an organization with many documents, which then are gone."""
    role = make_url(stack.settings.app_database_url.get_secret_value()).username
    who = actor(ann)
    async with owner_db.transaction(user_id=who.user_id, org_ids=[ann.org_id]) as session:
        await session.execute(text(_FILL), {"org": ann.org_id, "user": who.user_id, "many": MANY})
        for index in INDEXES:
            await session.execute(text(f"SELECT gin_clean_pending_list('{index}')"))
        await session.execute(text("ANALYZE documents, document_streams, document_texts"))
        await session.execute(text(f"SET LOCAL ROLE {role}"))
        scope = await orgs.enter(session, who, ann.org_id)
        before = await scans(session)
        [by_text] = await documents.search(session, scope, f"needle{MANY} hay")
        [by_title] = await documents.search(session, scope, f"title{MANY}")
        after = await scans(session)
        await session.rollback()
    assert by_text.document_id == by_title.document_id
    used = {name: after[name] - before[name] for name in after}
    assert [used[name] for name in INDEXES] == [2, 2]
    assert used["document_texts"] == 0, "all texts were read"
    assert used["read"] < 20


async def test_what_one_may_not_read_hides_nothing(
    ann: Person, bob: Person, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few are compared, and whatever else matches better or is newer."""
    monkeypatch.setattr(MODULE, "RANKED", 1)
    await ann.invite(bob)
    readable = ann.document_id
    for _ in range(3):
        document = await ann.create_document("Notes")
        await ann.json("PUT", f"/documents/{document['id']}/access", json={"org_access": "none"})
    trashed = await ann.create_document("Notes")
    await ann.json("DELETE", f"/documents/{trashed['id']}")
    async with db.transaction(user_id=actor(bob).user_id, org_ids=[ann.org_id]) as session:
        scope = await orgs.enter(session, actor(bob), ann.org_id)
        assert [hit.document_id for hit in await documents.search(session, scope, "notes")] == [readable]


async def test_titles_come_first_and_those_that_are_compared_are_the_best(
    ann: Person, db: Database, owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_title = ann.document_id
    words = {UUID((await ann.create_document(f"No. {number}"))["id"]): "notes " * number for number in (1, 5, 3)}
    async with owner_db.transaction() as session:
        for document_id, written in words.items():
            await session.execute(
                text("INSERT INTO document_texts VALUES (:org, :id, 0, :text, 1, :now)"),
                {"org": ann.org_id, "id": document_id, "text": written, "now": clock.now()},
            )
    async with db.transaction(user_id=actor(ann).user_id, org_ids=[ann.org_id]) as session:
        scope = await orgs.enter(session, actor(ann), ann.org_id)
        one, five, three = words
        assert [hit.document_id for hit in await documents.search(session, scope, "notes")] == [
            by_title,
            five,
            three,
            one,
        ]
        monkeypatch.setattr(MODULE, "RANKED", 2)
        assert [hit.document_id for hit in await documents.search(session, scope, "notes")] == [by_title, three]
