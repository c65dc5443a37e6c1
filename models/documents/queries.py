"""The SQL of documents."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    Subquery,
    Uuid,
    bindparam,
    column,
    func,
    or_,
    union_all,
)
from sqlalchemy import select as columns
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra.direct import Executes
from models.documents.tables import Document, DocumentGrant, DocumentStream
from models.orgs.queries import live
from models.orgs.tables import GroupMember, Membership, Organization

Listed = Row[tuple[Document, int]]
Seen = Row[tuple[Document, int, str, int]]
"""A document, its seq, the role of whoever sees it, and the highest level they were granted."""


class Guarded(Protocol):
    """What of a document decides who may do what with it."""

    id: UUID
    org_id: UUID
    created_by: UUID
    org_access: int


class SeenByMany(Guarded, Protocol):
    """That of a document which somebody sees, and their role and the highest level they were granted."""

    user_id: UUID
    role: str
    granted: int


async def sizes(session: AsyncSession, org_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """How many documents some organizations have, and how many bytes of updates these; those without are left out."""
    size = func.coalesce(func.sum(col(DocumentStream.bytes_total)), 0).cast(BigInteger)
    query = (
        columns(col(DocumentStream.org_id), func.count(), size)
        .where(col(DocumentStream.org_id).in_(org_ids))
        .group_by(col(DocumentStream.org_id))
    )
    return {org_id: (documents, size) for org_id, documents, size in await session.execute(query)}


async def find(session: AsyncSession, document_id: UUID, *, for_update: bool = False) -> Listed | None:
    """The document and the seq of its journal, if this session may see it."""
    query = _with_seq().where(col(Document.id) == document_id)
    if for_update:
        query = query.with_for_update(of=Document, key_share=True)
    return (await session.execute(query)).one_or_none()


async def seen(session: AsyncSession, document_id: UUID, user_id: UUID) -> Seen | None:
    """A document as somebody with a live membership sees it, and what decides about their level: one round trip."""
    return (await session.execute(_seen(), {"user": user_id, "document": document_id})).one_or_none()


@cache
def _seen() -> Select[tuple[Document, int, str, int]]:
    user_id = bindparam("user", type_=Uuid)
    return (
        _with_seq()
        .add_columns(col(Membership.role), _granted_at(user_id))
        .join(Membership, (col(Membership.org_id) == Document.org_id) & (col(Membership.user_id) == user_id))
        .join(Organization, col(Organization.id) == Document.org_id)
        .where(col(Document.id) == bindparam("document", type_=Uuid), *live())
    )


async def seen_by_many(session: Executes, pairs: Sequence[tuple[UUID, UUID]]) -> list[SeenByMany]:
    """The same for many pairs of a user and a document outside the trash; those that see nothing are left out."""
    users, documents = [user_id for user_id, _ in pairs], [document_id for _, document_id in pairs]
    return list(await session.execute(_seen_by_many(), {"users": users, "documents": documents}))


@cache
def _seen_by_many() -> Select[Any]:
    asked = (
        func.unnest(bindparam("users", type_=ARRAY(Uuid)), bindparam("documents", type_=ARRAY(Uuid)))
        .table_valued(column("user_id", Uuid), column("document_id", Uuid))
        .render_derived()
    )
    document = (col(Document.id), col(Document.org_id), col(Document.created_by), col(Document.org_access))
    return (
        columns(asked.c.user_id, *document, col(Membership.role), _granted_at(asked.c.user_id).label("granted"))
        .select_from(asked)
        .join(Document, col(Document.id) == asked.c.document_id)
        .join(Membership, (col(Membership.org_id) == Document.org_id) & (col(Membership.user_id) == asked.c.user_id))
        .join(Organization, col(Organization.id) == Document.org_id)
        .where(col(Document.trashed_at).is_(None), *live())
    )


async def page(
    session: AsyncSession, org_id: UUID, user_id: UUID, *, role: str, trashed: bool, after: UUID | None, limit: int
) -> list[Row[tuple[Document, int, int]]]:
    """What somebody may read, newest first, after an id, and what they were granted there."""
    query = readable(org_id, user_id, role=role, trashed=trashed)
    if after is not None:
        query = query.where(col(Document.id) < after)
    return list(await session.execute(query.order_by(col(Document.id).desc()).limit(limit)))


def readable(org_id: UUID, user_id: UUID, *, role: str, trashed: bool = False) -> Select[tuple[Document, int, int]]:
    """What somebody may read, in the trash or outside: documents, their seq, and the level granted there."""
    granted = _granted(org_id, user_id)
    in_trash = col(Document.trashed_at).is_not(None) if trashed else col(Document.trashed_at).is_(None)
    level = func.coalesce(granted.c.level, 0)
    query = (
        _with_seq()
        .add_columns(level)
        .join(granted, granted.c.document_id == Document.id, isouter=role != "guest")
        .where(col(Document.org_id) == org_id, in_trash)
    )
    if role == "member":
        query = query.where(or_(col(Document.org_access) > 0, col(Document.created_by) == user_id, level > 0))
    return query


def _granted_at(user_id: UUID | ColumnElement[UUID]) -> ScalarSelect[int]:
    """The highest level granted to somebody, or a group of theirs, on the document of the query around."""
    groups = (
        columns(col(GroupMember.group_id))
        .where(col(GroupMember.org_id) == Document.org_id, col(GroupMember.user_id) == user_id)
        .correlate_except(GroupMember)
    )
    return (
        columns(func.coalesce(func.max(col(DocumentGrant.level)), 0))
        .where(
            col(DocumentGrant.org_id) == Document.org_id,
            col(DocumentGrant.document_id) == Document.id,
            or_(col(DocumentGrant.user_id) == user_id, col(DocumentGrant.group_id).in_(groups)),
        )
        .correlate_except(DocumentGrant)
        .scalar_subquery()
    )


def _granted(org_id: UUID, user_id: UUID) -> Subquery:
    """The documents granted to somebody or a group of theirs, each with the highest level."""
    by_group = columns(col(DocumentGrant.document_id), col(DocumentGrant.level)).join(
        GroupMember,
        (col(GroupMember.org_id) == DocumentGrant.org_id) & (col(GroupMember.group_id) == DocumentGrant.group_id),
    )
    each = union_all(
        columns(col(DocumentGrant.document_id), col(DocumentGrant.level)).where(*_of(org_id, user_id, DocumentGrant)),
        by_group.where(*_of(org_id, user_id, GroupMember)),
    ).subquery()
    return columns(each.c.document_id, func.max(each.c.level).label("level")).group_by(each.c.document_id).subquery()


def _of(
    org_id: UUID, user_id: UUID, table: type[DocumentGrant] | type[GroupMember]
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(table.org_id) == org_id, col(table.user_id) == user_id


def _with_seq() -> Select[tuple[Document, int]]:
    return select(Document, DocumentStream.seq).join(
        DocumentStream,
        (col(DocumentStream.document_id) == Document.id) & (col(DocumentStream.org_id) == Document.org_id),
    )
