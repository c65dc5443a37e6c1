"""Invitations: to the owner of an address, by mail; or by a link, to whoever has it.

Both are a token that names the organization and the invitation and holds a secret, of which only the hash is stored.
Whatever is wrong with a token, the answer is the same, so that nobody learns of invitations that are not theirs.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.db import set_scope
from infra.mail import link
from infra.settings import get_settings
from models import audit, mail
from models.audit import Act
from models.auth import Actor, account
from models.orgs import queries, quotas
from models.orgs.errors import AlreadyMember, DomainNotAllowed, InvitationNotFound, NoOwnerByLink
from models.orgs.scope import OrgScope, Permission, Role, require_token
from models.orgs.service import read
from models.orgs.tables import Invitation, Membership, Organization

LIFETIME = timedelta(days=7)
PAGE = "invitations"
"""Where the web application takes the token of an invitation."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and its token, which is shown this once."""

    invitation: Invitation
    token: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of accepting an invitation."""

    membership: Membership
    invitation_id: UUID
    has_joined: bool
    """Whether they belong now, or belong as more than before; what else was waiting for them they get anyway."""


async def invite(
    session: AsyncSession, scope: OrgScope, *, email: str, role: Role = Role.MEMBER, lifetime: timedelta = LIFETIME
) -> Invited:
    """Invite whoever has an address, by mail.

    Raises:
        DomainNotAllowed: the organization is for addresses of other domains.
    """
    organization = await _require(session, scope, role)
    return await _issue(session, scope, organization, email=email, role=role, max_uses=1, lifetime=lifetime)


async def invite_guest(session: AsyncSession, scope: OrgScope, *, email: str) -> Invited:
    """Invite somebody from outside to documents. The caller says to which, and may share them."""
    organization = await read(session, scope)
    return await _issue(session, scope, organization, email=email, role=Role.GUEST, max_uses=1, lifetime=LIFETIME)


async def invite_by_link(
    session: AsyncSession, scope: OrgScope, *, role: Role, max_uses: int, lifetime: timedelta = LIFETIME
) -> Invited:
    """A link with which so many people can join.

    Raises:
        NoOwnerByLink: it would make owners.
    """
    organization = await _require(session, scope, role)
    if role == Role.OWNER:
        raise NoOwnerByLink()
    return await _issue(session, scope, organization, email=None, role=role, max_uses=max_uses, lifetime=lifetime)


async def invitations(session: AsyncSession, scope: OrgScope) -> list[Invitation]:
    """The open ones."""
    scope.require(Permission.MEMBER_INVITE)
    return await queries.invitations(session, scope.org_id)


async def resend(session: AsyncSession, scope: OrgScope, invitation_id: UUID) -> Invited:
    """Give an invitation a new secret and as much time as at first; the old secret is worth nothing any more."""
    scope.require(Permission.MEMBER_INVITE)
    invitation = await _open(session, scope, invitation_id)
    if invitation.role == Role.OWNER:
        scope.require(Permission.OWNER_MANAGE)
    secret = secrets.token_urlsafe(32)
    invitation.secret_hash = _digest(secret)
    invitation.expires_at = clock.now() + LIFETIME
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.INVITATION_RESENT, invitation.id)
    return await _sent(session, scope, await read(session, scope), invitation, secret)


async def withdraw(session: AsyncSession, scope: OrgScope, invitation_id: UUID) -> None:
    """Take an invitation back, with what it would have granted."""
    scope.require(Permission.MEMBER_INVITE)
    await session.delete(await _open(session, scope, invitation_id))
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.INVITATION_WITHDRAWN, invitation_id)


async def uninvite_guest(session: AsyncSession, scope: OrgScope, invitation_id: UUID) -> None:
    """Take back what `invite_guest` made. The caller may share what it was for."""
    await session.delete(await _open(session, scope, invitation_id))
    await session.flush()
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.INVITATION_WITHDRAWN, invitation_id)


async def accept(session: AsyncSession, actor: Actor, token: str) -> Accepted:
    """Join the organization of an invitation. A guest who is invited to more becomes that.

    Of several who come with the last use of a link one gets in.

    Raises:
        InvitationNotFound: the token is not one, or over, or was sent to somebody else.
        AlreadyMember: one belongs to it already, and is suspended.
        QuotaReached: it has all the members it may have; the invitation can still be used once there is room.
    """
    require_token(actor, Permission.MEMBER_INVITE)
    org_id, invitation_id, secret = _parse(token)
    await set_scope(session, user_id=actor.user_id, org_ids=actor.org_ids | {org_id})
    await queries.lock(session, org_id)
    invitation = await queries.invitation(session, org_id, invitation_id)
    email = (await account(session, actor)).email
    organization = await session.get(Organization, org_id)
    if invitation is None or organization is None or not _admits(invitation, organization, secret, email):
        raise InvitationNotFound()
    membership = await queries.membership(session, org_id, actor.user_id)
    has_joined = membership is None or membership.role == Role.GUEST != invitation.role
    if membership is None:
        await quotas.require_seat(session, org_id)
        membership = Membership(org_id=org_id, user_id=actor.user_id, role=invitation.role)
        session.add(membership)
    elif membership.suspended_at is not None:
        raise AlreadyMember()
    elif has_joined:
        membership.role = invitation.role
    invitation.uses += 1
    await session.flush()
    if has_joined:
        details = {"role": membership.role, "invitation_id": str(invitation_id)}
        await audit.record(session, org_id, actor.user_id, Act.MEMBER_JOINED, actor.user_id, **details)
    return Accepted(membership, invitation_id, has_joined)


async def _require(session: AsyncSession, scope: OrgScope, role: Role) -> Organization:
    """Admins invite; members, too, where the organization lets them, to no more than they are; owners invite owners."""
    organization = await read(session, scope)
    members_may = organization.members_may_invite and role in (Role.MEMBER, Role.GUEST)
    scope.require(Permission.MEMBER_LIST if members_may else Permission.MEMBER_INVITE)
    if role == Role.OWNER:
        scope.require(Permission.OWNER_MANAGE)
    return organization


async def _issue(
    session: AsyncSession,
    scope: OrgScope,
    organization: Organization,
    *,
    email: str | None,
    role: Role,
    max_uses: int,
    lifetime: timedelta,
) -> Invited:
    if email is not None and not _is_allowed(organization, email, role):
        raise DomainNotAllowed()
    await quotas.require_seat(session, scope.org_id)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(
        org_id=scope.org_id,
        email=email,
        role=role,
        secret_hash=_digest(secret),
        max_uses=max_uses,
        invited_by=scope.actor.user_id,
        expires_at=clock.now() + lifetime,
    )
    session.add(invitation)
    await session.flush()
    details = {"role": role, "email": email, "max_uses": max_uses}
    await audit.record(session, scope.org_id, scope.actor.user_id, Act.MEMBER_INVITED, invitation.id, **details)
    return await _sent(session, scope, organization, invitation, secret)


async def _sent(
    session: AsyncSession, scope: OrgScope, organization: Organization, invitation: Invitation, secret: str
) -> Invited:
    token = f"{scope.org_id}.{invitation.id}.{secret}"
    if invitation.email is not None:
        await mail.send(
            session,
            to=invitation.email,
            template="invitation",
            inviter=scope.actor.name,
            organization=organization.name,
            link=link(get_settings(), PAGE, token),
        )
    return Invited(invitation, token)


async def _open(session: AsyncSession, scope: OrgScope, invitation_id: UUID) -> Invitation:
    invitation = await queries.invitation(session, scope.org_id, invitation_id)
    if invitation is None or invitation.uses >= invitation.max_uses:
        raise InvitationNotFound()
    return invitation


def _admits(invitation: Invitation, organization: Organization, secret: str, email: str) -> bool:
    """Whether this secret, in the hands of somebody with this address, is worth something now."""
    return (
        hmac.compare_digest(invitation.secret_hash, _digest(secret))
        and invitation.uses < invitation.max_uses
        and invitation.expires_at > clock.now()
        and organization.suspended_at is None
        and organization.deleted_at is None
        and _is_allowed(organization, email, invitation.role)
        and (invitation.email is None or invitation.email.lower() == email.lower())
    )


def _is_allowed(organization: Organization, email: str, role: str) -> bool:
    """Guests come from anywhere: who may bring them is a setting of its own."""
    domains = organization.invitation_domains
    return role == Role.GUEST or not domains or email.rpartition("@")[2].lower() in domains


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _parse(token: str) -> tuple[UUID, UUID, str]:
    try:
        org_id, invitation_id, secret = token.split(".", 2)
        return UUID(org_id), UUID(invitation_id), secret
    except ValueError as error:
        raise InvitationNotFound() from error
