"""Who may do what with a document: every case there is, and that lists agree with it."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from infra import clock
from infra.db import Database
from models import auth, documents, orgs
from models.auth import Actor
from models.documents import DocumentGone, queries
from models.documents.tables import Document, DocumentGrant, DocumentStream
from models.errors import Forbidden
from models.orgs import Group, GroupMember, Level, Membership, Permission, Role, effective

GRANTS = (None, Level.READ, Level.COMMENT, Level.WRITE, Level.MANAGE)
ORG_ACCESS = (Level.NONE, Level.READ, Level.COMMENT, Level.WRITE)


@dataclass(frozen=True)
class Case:
    """What decides about a level."""

    org_access: Level
    created: bool
    granted: Level | None
    by_group: Level | None


CASES = [Case(*case) for case in itertools.product(ORG_ACCESS, (True, False), GRANTS, GRANTS)]


@dataclass(frozen=True)
class Office:
    """An organization with somebody of one role, and a document for each case."""

    db: Database
    org_id: UUID
    actor: Actor
    cases: dict[UUID, Case]

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        async with self.db.transaction(user_id=self.actor.user_id, org_ids=[self.org_id]) as session:
            yield session


async def _account(db: Database) -> Actor:
    async with db.transaction() as session:
        user = await auth.register(session, email=f"{clock.new_id()}@example.org", name="Ada", password_hash="x")
    return Actor(user.id, None, user.name)


async def office(db: Database, role: Role) -> Office:
    founder, actor = await _account(db), await _account(db)
    cases: dict[UUID, Case] = {}
    async with db.transaction(user_id=founder.user_id) as session:
        org_id = (await orgs.found(session, founder, name="Office")).id
        group = Group(org_id=org_id, name="Writers")
        session.add_all([group, Membership(org_id=org_id, user_id=actor.user_id, role=role)])
        await session.flush()
        session.add(GroupMember(org_id=org_id, group_id=group.id, user_id=actor.user_id))
        for case in CASES:
            creator = actor if case.created else founder
            document = Document(org_id=org_id, title="", created_by=creator.user_id, org_access=case.org_access)
            cases[document.id] = case
            session.add(document)
        await session.flush()
        for document_id, case in cases.items():
            session.add(DocumentStream(org_id=org_id, document_id=document_id))
            common: dict[str, Any] = {"org_id": org_id, "document_id": document_id, "granted_by": founder.user_id}
            if case.granted is not None:
                session.add(DocumentGrant(user_id=actor.user_id, level=case.granted, **common))
            if case.by_group is not None:
                session.add(DocumentGrant(group_id=group.id, level=case.by_group, **common))
    return Office(db, org_id, actor, cases)


def expected(role: Role, case: Case) -> Level:
    """What the issue says, in other words than the code."""
    raised = max(case.granted or Level.NONE, case.by_group or Level.NONE)
    match role:
        case Role.OWNER | Role.ADMIN:
            return Level.MANAGE
        case Role.MEMBER:
            return Level.MANAGE if case.created else max(case.org_access, raised)
        case Role.GUEST:
            return raised


@pytest.mark.parametrize("role", Role)
async def test_every_case(db: Database, role: Role) -> None:
    here = await office(db, role)
    readable = {}
    async with here.session() as session:
        for document_id, case in here.cases.items():
            wanted = expected(role, case)
            if wanted == Level.NONE:
                with pytest.raises(DocumentGone if role == Role.GUEST else Forbidden):
                    await documents.enter(session, here.actor, document_id)
                continue
            view, scope = await documents.enter(session, here.actor, document_id)
            assert (view.level, scope.level) == (wanted, wanted), case
            readable[document_id] = wanted
        scope_ = await orgs.enter(session, here.actor, here.org_id)
        page = await documents.page(session, scope_, limit=len(CASES) + 1)
    assert {view.id: view.level for view in page} == readable
    assert [view.id for view in page] == sorted(readable, reverse=True)


async def test_a_level_allows_what_those_below_it_allow() -> None:
    needed = {
        Permission.DOCUMENT_READ: "RCWM",
        Permission.DOCUMENT_COMMENT: "CWM",
        Permission.DOCUMENT_WRITE: "WM",
        Permission.DOCUMENT_DELETE: "M",
        Permission.DOCUMENT_SHARE: "M",
    }
    for level in Level:
        scope = orgs.at_document(
            Actor(UUID(int=1), None, ""),
            org_id=UUID(int=2),
            role=Role.GUEST,
            document_id=UUID(int=3),
            is_creator=False,
            org_access=0,
            granted=level,
        )
        assert {p for p in needed if scope.allows(p)} == {p for p, who in needed.items() if level.name[0] in who}
        assert not scope.allows(Permission.MEMBER_LIST)


def test_grants_never_lower_a_level() -> None:
    for role, created, access in itertools.product(Role, (True, False), ORG_ACCESS):
        levels = [effective(role, is_creator=created, org_access=access, granted=granted) for granted in Level]
        assert levels == sorted(levels)


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """What is sent to Postgres meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(db.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine.sync_engine, "before_cursor_execute", note)


async def test_entering_and_listing_take_one_query_each(db: Database) -> None:
    here = await office(db, Role.MEMBER)
    readable = next(document_id for document_id, case in here.cases.items() if case.org_access)
    async with here.session() as session:
        scope = await orgs.enter(session, here.actor, here.org_id)
        with statements(db) as sent:
            await documents.enter(session, here.actor, readable)
            await documents.page(session, scope)
    assert len(sent) == 2


@pytest.mark.parametrize("table", ["memberships", "organizations"])
async def test_who_is_suspended_sees_nothing_even_where_rows_are_visible(
    db: Database, owner_db: Database, table: str
) -> None:
    here = await office(db, Role.OWNER)
    column = {"memberships": "org_id", "organizations": "id"}[table]
    async with owner_db.transaction() as session:
        statement = f"UPDATE {table} SET suspended_at = now() WHERE {column} = :org"
        await session.execute(text(statement), {"org": here.org_id})
    async with here.session() as session:
        with pytest.raises(orgs.OrgNotFound):
            await orgs.enter(session, here.actor, here.org_id)
        with pytest.raises(DocumentGone):
            await documents.enter(session, here.actor, next(iter(here.cases)))
        assert await orgs.of(session, here.actor) == []


@pytest.mark.parametrize("role", ["member", "guest"])
async def test_lists_are_found_by_index(db: Database, owner_db: Database, role: str) -> None:
    here = await office(db, Role(role))
    many = """
        INSERT INTO documents (org_id, id, title, version, created_by, created_at, updated_at, org_access)
        SELECT :org, uuidv7(), '', 1, created_by, now(), now(), 0 FROM documents, generate_series(1, 5000)
        WHERE id = :document
    """
    async with owner_db.transaction() as session:
        await session.execute(text(many), {"org": here.org_id, "document": next(iter(here.cases))})
        await session.execute(text("ANALYZE documents, document_streams, document_grants, group_members"))
    query = queries.readable(here.org_id, here.actor.user_id, role=role).order_by(col(Document.id).desc()).limit(50)
    asked = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]
    async with here.session() as session:
        plan = "\n".join(await session.scalars(text(f"EXPLAIN {asked}")))
    assert "Seq Scan on documents" not in plan, plan
