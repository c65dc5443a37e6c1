"""Who may do what with a document beyond what the organization may: grants to people, groups and guests to come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models import audit, orgs, webhooks
from models.audit import Act
from models.auth import Actor
from models.documents import DocumentGone
from models.documents.tables import Document, DocumentGrant
from models.orgs import (
    AlreadyMember,
    DocumentScope,
    Group,
    GroupNotFound,
    Level,
    MemberNotFound,
    Membership,
    OrgScope,
    Permission,
    Role,
)
from models.sharing import queries
from models.sharing.errors import GrantNotFound, NotOutside

Kind = Literal["user", "group", "invitation"]


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant, with a name for whoever has it."""

    kind: Kind
    id: UUID
    """Of the user, the group or the invitation."""
    name: str
    level: Level
    created_at: datetime


async def grants(session: AsyncSession, scope: DocumentScope) -> list[GrantView]:
    """What is granted on the document."""
    scope.require(Permission.DOCUMENT_SHARE)
    found = []
    for grant, user, group, invitation in await queries.grants(session, scope.org_id, scope.document_id):
        if user is not None:
            who: tuple[Kind, UUID, str] = ("user", user.id, user.name)
        elif group is not None:
            who = ("group", group.id, group.name)
        else:
            assert invitation is not None, "a grant has one grantee"
            who = ("invitation", invitation.id, invitation.email or "")
        found.append(GrantView(*who, Level(grant.level), grant.created_at))
    return found


async def grant_user(session: AsyncSession, scope: DocumentScope, user_id: UUID, level: Level) -> None:
    """Let a member or guest do this much, whatever it was before.

    Raises:
        MemberNotFound: they do not belong to the organization.
    """
    scope.require(Permission.DOCUMENT_SHARE)
    if await session.get(Membership, (scope.org_id, user_id)) is None:
        raise MemberNotFound()
    await _grant(session, scope, level, user_id=user_id)


async def grant_group(session: AsyncSession, scope: DocumentScope, group_id: UUID, level: Level) -> None:
    """Let everybody in a group do this much, whatever it was before.

    Raises:
        GroupNotFound: the organization has no such group.
    """
    scope.require(Permission.DOCUMENT_SHARE)
    if await session.get(Group, (scope.org_id, group_id)) is None:
        raise GroupNotFound()
    await _grant(session, scope, level, group_id=group_id)


async def grant_address(session: AsyncSession, scope: DocumentScope, email: str, level: Level) -> GrantView:
    """Let whoever has an address do this much: at once if they belong, else once they accept to be a guest.

    Raises:
        NotOutside: they do not belong, and one may not let people from outside in.
    """
    scope.require(Permission.DOCUMENT_SHARE)
    membership = await queries.member_by_email(session, scope.org_id, email)
    if membership is not None:
        grant = await _grant(session, scope, level, user_id=membership.user_id)
        return GrantView("user", membership.user_id, email, level, grant.created_at)
    await require_outside(session, scope)
    invitation = (await orgs.invite_guest(session, scope, email=email)).invitation
    grant = DocumentGrant(
        org_id=scope.org_id,
        document_id=scope.document_id,
        invitation_id=invitation.id,
        level=level,
        granted_by=scope.actor.user_id,
    )
    session.add(grant)
    await session.flush()
    await _note(session, scope, Act.ACCESS_GRANTED, invitation=str(invitation.id), level=level.name.lower())
    return GrantView("invitation", invitation.id, email, level, grant.created_at)


async def revoke_grant(session: AsyncSession, scope: DocumentScope, kind: Kind, grantee_id: UUID) -> None:
    """Take a grant back; of a guest to come the invitation as well, which was for this document only.

    Raises:
        GrantNotFound: there is none.
    """
    scope.require(Permission.DOCUMENT_SHARE)
    grant = await queries.grant_to(session, scope.org_id, scope.document_id, kind, grantee_id)
    if grant is None:
        raise GrantNotFound()
    await session.delete(grant)
    await session.flush()
    if kind == "invitation":
        await orgs.uninvite_guest(session, scope, grantee_id)
    await _note(session, scope, Act.ACCESS_REVOKED, **{kind: str(grantee_id)})


async def open_to_org(session: AsyncSession, scope: DocumentScope, level: Level) -> None:
    """Let all members of the organization do this much."""
    scope.require(Permission.DOCUMENT_SHARE)
    document = await _document(session, scope)
    before, document.org_access = Level(document.org_access), level
    await session.flush()
    await _note(session, scope, Act.ACCESS_CHANGED, before=before.name.lower(), level=level.name.lower())


async def accept(session: AsyncSession, actor: Actor, token: str) -> Membership:
    """Accept an invitation: join, and get what was granted to whoever accepts it.

    Raises:
        InvitationNotFound: the token is not one, or over, or was sent to somebody else.
        AlreadyMember: one belongs to the organization already, and nothing waits for one.
    """
    accepted = await orgs.accept(session, actor, token)
    membership = accepted.membership
    claimed = await queries.claim(session, membership.org_id, accepted.invitation_id, membership.user_id)
    if not (accepted.has_joined or claimed):
        raise AlreadyMember()
    if accepted.has_joined:
        about = {"user_id": str(membership.user_id), "name": actor.name, "role": membership.role}
        event = f"joined:{membership.user_id}:{membership.created_at}"
        await webhooks.publish(session, membership.org_id, webhooks.Event.MEMBER_JOINED, event, **about)
    return membership


async def require_outside(session: AsyncSession, scope: OrgScope) -> None:
    """Whether one may let people from outside see a document one manages: admins, and members where they are let.

    Raises:
        NotOutside: one may not.
    """
    members_may = (await orgs.read(session, scope)).members_may_share
    if not scope.allows(Permission.MEMBER_INVITE) and not (members_may and scope.role == Role.MEMBER):
        raise NotOutside()


async def _grant(
    session: AsyncSession,
    scope: DocumentScope,
    level: Level,
    *,
    user_id: UUID | None = None,
    group_id: UUID | None = None,
) -> DocumentGrant:
    await _document(session, scope)
    kind: Kind = "user" if user_id else "group"
    grantee_id = user_id or group_id
    assert grantee_id is not None
    grant = await queries.grant_to(session, scope.org_id, scope.document_id, kind, grantee_id)
    if grant is None:
        grant = DocumentGrant(
            org_id=scope.org_id,
            document_id=scope.document_id,
            user_id=user_id,
            group_id=group_id,
            level=level,
            granted_by=scope.actor.user_id,
        )
        session.add(grant)
    else:
        grant.level, grant.granted_by = level, scope.actor.user_id
    await session.flush()
    await _note(session, scope, Act.ACCESS_GRANTED, **{kind: str(grantee_id)}, level=level.name.lower())
    return grant


async def _document(session: AsyncSession, scope: DocumentScope) -> Document:
    """The document, locked: those who change its access take turns."""
    document = await queries.document(session, scope.org_id, scope.document_id, lock=True)
    if document is None:
        raise DocumentGone([scope.document_id])
    return document


async def _note(session: AsyncSession, scope: DocumentScope, act: Act, **details: str) -> None:
    await audit.record(session, scope.org_id, scope.actor.user_id, act, scope.document_id, **details)
