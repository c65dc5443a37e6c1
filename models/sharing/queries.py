"""The SQL of sharing."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from models.auth import User
from models.documents.tables import Document, DocumentGrant
from models.orgs.queries import live
from models.orgs.tables import Group, Invitation, Membership, Organization
from models.sharing.tables import AccessRequest, ShareLink

Granted = Row[tuple[DocumentGrant, User | None, Group | None, Invitation | None]]

# What was waiting for somebody becomes theirs; where they were granted something meanwhile, the higher level counts.
_CLAIM = text("""
    WITH waiting AS (
        DELETE FROM document_grants WHERE org_id = :org_id AND invitation_id = :invitation_id
        RETURNING org_id, id, document_id, level, granted_by
    )
    INSERT INTO document_grants (org_id, id, document_id, user_id, level, granted_by, created_at)
    SELECT org_id, id, document_id, :user_id, level, granted_by, now() FROM waiting
    ON CONFLICT (org_id, user_id, document_id) DO UPDATE SET level = GREATEST(document_grants.level, EXCLUDED.level)
    RETURNING document_id
""").bindparams(*(bindparam(name, type_=Uuid) for name in ("org_id", "invitation_id", "user_id")))


async def grants(session: AsyncSession, org_id: UUID, document_id: UUID) -> list[Granted]:
    """What is granted on a document, oldest first, and to whom."""
    query = (
        select(DocumentGrant, User, Group, Invitation)
        .join(User, col(User.id) == DocumentGrant.user_id, isouter=True)
        .join(
            Group, (col(Group.org_id) == DocumentGrant.org_id) & (col(Group.id) == DocumentGrant.group_id), isouter=True
        )
        .join(
            Invitation,
            (col(Invitation.org_id) == DocumentGrant.org_id) & (col(Invitation.id) == DocumentGrant.invitation_id),
            isouter=True,
        )
        .where(DocumentGrant.org_id == org_id, DocumentGrant.document_id == document_id)
        .order_by(col(DocumentGrant.id))
    )
    return list(await session.execute(query))


async def grant_to(
    session: AsyncSession, org_id: UUID, document_id: UUID, kind: str, grantee_id: UUID
) -> DocumentGrant | None:
    """What a `user`, a `group`, or whoever accepts an `invitation` is granted on a document, locked."""
    grantee = {
        "user": col(DocumentGrant.user_id),
        "group": col(DocumentGrant.group_id),
        "invitation": col(DocumentGrant.invitation_id),
    }[kind]
    query = select(DocumentGrant).where(
        DocumentGrant.org_id == org_id, DocumentGrant.document_id == document_id, grantee == grantee_id
    )
    return (await session.execute(query.with_for_update())).scalar_one_or_none()


async def claim(session: AsyncSession, org_id: UUID, invitation_id: UUID, user_id: UUID) -> list[UUID]:
    """Give somebody what waited for whoever accepts an invitation; on which documents."""
    parameters = {"org_id": org_id, "invitation_id": invitation_id, "user_id": user_id}
    return list(await session.scalars(_CLAIM, parameters))


async def member_by_email(session: AsyncSession, org_id: UUID, email: str) -> Membership | None:
    """The membership of whoever has an address, whatever its capitals."""
    query = (
        select(Membership)
        .join(User, col(User.id) == Membership.user_id)
        .where(Membership.org_id == org_id, text("lower(users.email) = :email"))
    )
    return (await session.execute(query, {"email": email.lower()})).scalar_one_or_none()


async def document(session: AsyncSession, org_id: UUID, document_id: UUID, *, lock: bool = False) -> Document | None:
    """A document of an organization."""
    query = select(Document).where(Document.org_id == org_id, Document.id == document_id)
    if lock:
        query = query.with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def links(session: AsyncSession, org_id: UUID, document_id: UUID) -> list[ShareLink]:
    """The links to a document that are not revoked, newest first."""
    query = (
        select(ShareLink)
        .where(ShareLink.org_id == org_id, ShareLink.document_id == document_id, col(ShareLink.revoked_at).is_(None))
        .order_by(col(ShareLink.id).desc())
    )
    return list(await session.scalars(query))


async def link(session: AsyncSession, org_id: UUID, document_id: UUID, link_id: UUID) -> ShareLink | None:
    """One of them, locked."""
    query = select(ShareLink).where(
        ShareLink.org_id == org_id,
        ShareLink.document_id == document_id,
        ShareLink.id == link_id,
        col(ShareLink.revoked_at).is_(None),
    )
    return (await session.execute(query.with_for_update())).scalar_one_or_none()


async def live_links(session: AsyncSession, link_ids: Sequence[UUID]) -> list[ShareLink]:
    """Links that are neither revoked nor over, to documents that are there, of organizations that are open."""
    query = (
        select(ShareLink)
        .join(Document, (col(Document.org_id) == ShareLink.org_id) & (col(Document.id) == ShareLink.document_id))
        .join(Organization, col(Organization.id) == ShareLink.org_id)
        .where(
            col(ShareLink.id).in_(link_ids),
            col(ShareLink.revoked_at).is_(None),
            text("(share_links.expires_at IS NULL OR share_links.expires_at > now())"),
            col(Document.trashed_at).is_(None),
            col(Organization.suspended_at).is_(None),
            col(Organization.deleted_at).is_(None),
        )
    )
    return list(await session.scalars(query))


async def pending(session: AsyncSession, org_id: UUID, document_id: UUID) -> list[Row[tuple[AccessRequest, User]]]:
    """Who waits for access to a document, longest first."""
    query = (
        select(AccessRequest, User)
        .join(User, col(User.id) == AccessRequest.user_id)
        .where(
            AccessRequest.org_id == org_id, AccessRequest.document_id == document_id, AccessRequest.state == "pending"
        )
        .order_by(col(AccessRequest.id))
    )
    return list(await session.execute(query))


async def pending_request(
    session: AsyncSession, org_id: UUID, document_id: UUID, request_id: UUID
) -> AccessRequest | None:
    """One of them, locked."""
    query = select(AccessRequest).where(
        AccessRequest.org_id == org_id,
        AccessRequest.document_id == document_id,
        AccessRequest.id == request_id,
        AccessRequest.state == "pending",
    )
    return (await session.execute(query.with_for_update())).scalar_one_or_none()


async def managers(session: AsyncSession, document: Document, *, at_most: int) -> list[User]:
    """Whom to ask about a document: who created it and who may manage it by a grant of their own; else owners."""
    asked = (
        select(User)
        .join(Membership, col(Membership.user_id) == User.id)
        .join(Organization, col(Organization.id) == Membership.org_id)
        .where(Membership.org_id == document.org_id, *live())
        .order_by(col(User.id))
        .limit(at_most)
    )
    granted = select(DocumentGrant.user_id).where(
        DocumentGrant.org_id == document.org_id,
        DocumentGrant.document_id == document.id,
        DocumentGrant.level == 4,
        col(DocumentGrant.user_id).is_not(None),
    )
    close = (col(User.id) == document.created_by) & (col(Membership.role) != "guest") | col(User.id).in_(granted)
    found = list(await session.scalars(asked.where(close)))
    return found or list(await session.scalars(asked.where(Membership.role == "owner")))


async def pending_of(session: AsyncSession, org_id: UUID, document_id: UUID, user_id: UUID) -> AccessRequest | None:
    """What somebody asked for and is not decided."""
    query = select(AccessRequest).where(
        AccessRequest.org_id == org_id,
        AccessRequest.document_id == document_id,
        AccessRequest.user_id == user_id,
        AccessRequest.state == "pending",
    )
    return (await session.execute(query)).scalar_one_or_none()
