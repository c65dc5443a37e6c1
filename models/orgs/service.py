"""Organizations: founding, inviting, joining, changing roles, leaving."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.db import set_scope
from models.auth import Actor, User, account
from models.errors import Conflict, NotFound
from models.orgs import queries
from models.orgs.scope import OrgScope, Permission, Role
from models.orgs.tables import Invitation, Membership, Organization

INVITATION_LIFETIME = timedelta(days=7)


class MemberNotFound(NotFound):
    """There is no such member."""


class InvitationNotFound(NotFound):
    """There is no such invitation, or it is over."""


class LastOwner(Conflict):
    """An organization keeps at least one owner."""


class AlreadyMember(Conflict):
    """They belong to this organization already."""


async def found(session: AsyncSession, actor: Actor, *, name: str) -> Organization:
    """A new organization whose owner is whoever founds it."""
    organization = Organization(name=name, created_by=actor.user_id)
    await set_scope(session, user_id=actor.user_id, org_ids=actor.org_ids | {organization.id})
    session.add(organization)
    await session.flush()
    session.add(Membership(org_id=organization.id, user_id=actor.user_id, role=Role.OWNER))
    await session.flush()
    return organization


async def of(session: AsyncSession, actor: Actor) -> list[Row[tuple[Organization, str]]]:
    """The organizations somebody belongs to, with their role in each."""
    return await queries.organizations_of(session, actor.user_id)


async def read(session: AsyncSession, scope: OrgScope) -> Organization:
    """The organization of the scope."""
    organization = await session.get(Organization, scope.org_id)
    assert organization is not None, "a scope is made from a membership, which refers to its organization"
    return organization


async def rename(session: AsyncSession, scope: OrgScope, *, name: str) -> Organization:
    """Give the organization another name."""
    scope.require(Permission.ORG_UPDATE)
    organization = await read(session, scope)
    organization.name = name
    await session.flush()
    return organization


async def members(session: AsyncSession, scope: OrgScope) -> list[Row[tuple[Membership, User]]]:
    """Who belongs to it."""
    scope.require(Permission.MEMBER_LIST)
    return await queries.members(session, scope.org_id)


async def assign_role(session: AsyncSession, scope: OrgScope, user_id: UUID, role: Role) -> Membership:
    """Make a member something else. Only an owner makes or unmakes owners.

    Raises:
        LastOwner: nobody else owns the organization.
    """
    scope.require(Permission.MEMBER_MANAGE)
    membership, owners = await _locked(session, scope, user_id)
    if Role.OWNER in (membership.role, role):
        scope.require(Permission.OWNER_MANAGE)
    if owners == [user_id] and role != Role.OWNER:
        raise LastOwner()
    membership.role = role
    await session.flush()
    return membership


async def remove(session: AsyncSession, scope: OrgScope, user_id: UUID) -> None:
    """Remove a member; everybody may remove themselves.

    Raises:
        LastOwner: nobody else owns the organization.
    """
    if user_id != scope.actor.user_id:
        scope.require(Permission.MEMBER_MANAGE)
    membership, owners = await _locked(session, scope, user_id)
    if membership.role == Role.OWNER and user_id != scope.actor.user_id:
        scope.require(Permission.OWNER_MANAGE)
    if owners == [user_id]:
        raise LastOwner()
    await session.delete(membership)
    await session.flush()


async def invite(session: AsyncSession, scope: OrgScope, *, email: str, role: Role) -> tuple[Invitation, str]:
    """An invitation and its token, which is shown once and stored as a hash."""
    scope.require(Permission.MEMBER_INVITE)
    if role == Role.OWNER:
        scope.require(Permission.OWNER_MANAGE)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(
        org_id=scope.org_id,
        email=email,
        role=role,
        secret_hash=_digest(secret),
        invited_by=scope.actor.user_id,
        expires_at=clock.now() + INVITATION_LIFETIME,
    )
    session.add(invitation)
    await session.flush()
    return invitation, f"{scope.org_id}.{invitation.id}.{secret}"


async def invitations(session: AsyncSession, scope: OrgScope) -> list[Invitation]:
    """The open ones."""
    scope.require(Permission.MEMBER_INVITE)
    return await queries.invitations(session, scope.org_id)


async def withdraw(session: AsyncSession, scope: OrgScope, invitation_id: UUID) -> None:
    """Take an invitation back."""
    scope.require(Permission.MEMBER_INVITE)
    invitation = await queries.invitation(session, scope.org_id, invitation_id)
    if invitation is None or invitation.uses >= invitation.max_uses:
        raise InvitationNotFound()
    await session.delete(invitation)
    await session.flush()


async def accept(session: AsyncSession, actor: Actor, token: str) -> Membership:
    """Join the organization of an invitation. It must have been sent to one's own address.

    Raises:
        InvitationNotFound: the token is not one, or over, or somebody else's.
        AlreadyMember: one belongs to it already.
    """
    org_id, invitation_id, secret = _parse(token)
    await set_scope(session, user_id=actor.user_id, org_ids=actor.org_ids | {org_id})
    invitation = await queries.invitation(session, org_id, invitation_id)
    if (
        invitation is None
        or invitation.uses >= invitation.max_uses
        or invitation.expires_at < clock.now()
        or not hmac.compare_digest(invitation.secret_hash, _digest(secret))
        or (invitation.email or "").lower() != (await account(session, actor)).email.lower()
    ):
        raise InvitationNotFound()
    if await queries.membership(session, org_id, actor.user_id) is not None:
        raise AlreadyMember()
    invitation.uses += 1
    membership = Membership(org_id=org_id, user_id=actor.user_id, role=invitation.role)
    session.add(membership)
    await session.flush()
    return membership


async def _locked(session: AsyncSession, scope: OrgScope, user_id: UUID) -> tuple[Membership, list[UUID]]:
    """A membership and the owners, locked. Owners first, so that two who demote each other take turns."""
    owners = await queries.owners_locked(session, scope.org_id)
    membership = await queries.membership(session, scope.org_id, user_id, for_update=True)
    if membership is None:
        raise MemberNotFound()
    return membership, owners


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _parse(token: str) -> tuple[UUID, UUID, str]:
    try:
        org_id, invitation_id, secret = token.split(".", 2)
        return UUID(org_id), UUID(invitation_id), secret
    except ValueError as error:
        raise InvitationNotFound() from error
