"""The SQL about everything a person left anywhere, found in the catalog: a new table cannot be forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

# Tables that refer to a person. ON DELETE CASCADE says that a row is about them, anything else that they did something.
_REFERENCES = text("""
    SELECT source.relname AS name, attribute.attname AS column, constraints.confdeltype = 'c' AS is_theirs,
        ARRAY(
            SELECT fields.attname::text FROM pg_attribute AS fields
            WHERE fields.attrelid = source.oid AND fields.attnum > 0
                AND (fields.atttypid = 'bytea'::regtype OR fields.attname ~ '(hash|secret)')
        ) AS secrets
    FROM pg_constraint AS constraints
    JOIN pg_class AS source ON source.oid = constraints.conrelid
    JOIN pg_attribute AS attribute
        ON attribute.attrelid = source.oid AND attribute.attnum = constraints.conkey[1]
    WHERE constraints.contype = 'f' AND constraints.confrelid = 'users'::regclass
        AND array_length(constraints.conkey, 1) = 1
    ORDER BY 1, 2
""").columns(name=Text, secrets=ARRAY(Text))

_ADDRESSED = text("""
    SELECT table_name AS name, column_name AS column FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name IN ('email', 'recipient') AND table_name <> 'users'
    ORDER BY 1, 2
""")

_MEMBERSHIPS = (
    text("""
    SELECT memberships.org_id, organizations.name,
        memberships.suspended_at IS NULL AND organizations.suspended_at IS NULL
            AND organizations.deleted_at IS NULL AS is_live
    FROM memberships JOIN organizations ON organizations.id = memberships.org_id
    WHERE memberships.user_id = :user_id ORDER BY 1
""")
    .bindparams(bindparam("user_id", type_=Uuid))
    .columns(org_id=Uuid)
)

_ORG_IDS = (
    text("SELECT org_id FROM memberships WHERE user_id = :user_id ORDER BY 1")
    .bindparams(bindparam("user_id", type_=Uuid))
    .columns(org_id=Uuid)
)

_OWNED = (
    text("""
    SELECT mine.org_id, organizations.name,
        EXISTS (SELECT FROM memberships AS others
            WHERE others.org_id = mine.org_id AND others.user_id <> :user_id) AS has_others,
        EXISTS (SELECT FROM memberships AS owners
            WHERE owners.org_id = mine.org_id AND owners.user_id <> :user_id
                AND owners.role = 'owner' AND owners.suspended_at IS NULL) AS has_owners
    FROM memberships AS mine JOIN organizations ON organizations.id = mine.org_id
    WHERE mine.user_id = :user_id AND mine.role = 'owner' AND organizations.deleted_at IS NULL
    ORDER BY 1
""")
    .bindparams(bindparam("user_id", type_=Uuid))
    .columns(org_id=Uuid)
)

_EDITS = text("""
    SELECT org_id, document_id, count(*) AS edits, sum(octet_length(payload)) AS bytes,
        min(created_at) AS first_at, max(created_at) AS last_at
    FROM document_updates WHERE actor_id = :user_id GROUP BY 1, 2 ORDER BY 1, 2
""").bindparams(bindparam("user_id", type_=Uuid))

_CREATED = (
    text("SELECT id, title FROM documents WHERE created_by = :user_id ORDER BY id")
    .bindparams(bindparam("user_id", type_=Uuid))
    .columns(id=Uuid)
)


@dataclass(frozen=True, slots=True)
class Place:
    """A column that refers to people; names come from the catalog and are safe to be part of SQL."""

    table: str
    column: str
    is_theirs: bool
    secrets: tuple[str, ...] = ()
    """Columns that are nobody's to read."""


async def places(session: AsyncSession) -> list[Place]:
    """Every column with a foreign key to people."""
    rows = await session.execute(_REFERENCES)
    return [Place(row.name, row.column, row.is_theirs, tuple(row.secrets)) for row in rows]


async def addressed(session: AsyncSession) -> list[Place]:
    """Every column that holds an address."""
    return [Place(row.name, row.column, True) for row in await session.execute(_ADDRESSED)]


async def rows_of(session: AsyncSession, place: Place, user_id: UUID) -> list[dict[str, Any]]:
    """What is kept about somebody in a place, without secrets."""
    query = text(f"SELECT to_jsonb(t) - :secrets AS row FROM {place.table} AS t WHERE {place.column} = :id").bindparams(  # noqa: S608
        bindparam("secrets", type_=ARRAY(Text)), bindparam("id", type_=Uuid)
    )
    return list(await session.scalars(query, {"secrets": list(place.secrets), "id": user_id}))


async def count(session: AsyncSession, place: Place, value: object) -> int:
    """How many rows there are of somebody (an id) or for an address (text)."""
    query = text(f"SELECT count(*) FROM {place.table} WHERE {_is(place, value)}")  # noqa: S608
    return int(await session.scalar(query, {"value": value}) or 0)


async def delete(session: AsyncSession, place: Place, value: object) -> None:
    """Delete them."""
    await session.execute(text(f"DELETE FROM {place.table} WHERE {_is(place, value)}"), {"value": value})  # noqa: S608


async def org_ids(session: AsyncSession, user_id: UUID) -> list[UUID]:
    """Wherever somebody is a member, suspended or not."""
    return list(await session.scalars(_ORG_IDS, {"user_id": user_id}))


async def memberships(session: AsyncSession, user_id: UUID) -> Sequence[Row[Any]]:
    """The same with names, and whether they may enter."""
    return (await session.execute(_MEMBERSHIPS, {"user_id": user_id})).all()


async def owned(session: AsyncSession, user_id: UUID) -> Sequence[Row[Any]]:
    """Organizations somebody owns, and whether others belong to it, or own it as well."""
    return (await session.execute(_OWNED, {"user_id": user_id})).all()


async def edits(session: AsyncSession, user_id: UUID) -> Sequence[Row[Any]]:
    """How much somebody wrote, document by document."""
    return (await session.execute(_EDITS, {"user_id": user_id})).all()


async def created_documents(session: AsyncSession, user_id: UUID) -> Sequence[Row[Any]]:
    """The documents somebody created."""
    return (await session.execute(_CREATED, {"user_id": user_id})).all()


def _is(place: Place, value: object) -> str:
    return f"lower({place.column}) = lower(:value)" if isinstance(value, str) else f"{place.column} = :value"
