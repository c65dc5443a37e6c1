"""`/orgs`: organizations, members, invitations."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import CurrentActor, Revoked, Scope, Session
from api.idempotency import IdempotentRoute
from api.orgs.schemas import (
    Accept,
    InvitationRead,
    Invitations,
    InvitationWrite,
    MemberRead,
    Members,
    MembershipRead,
    OrgRead,
    Orgs,
    OrgWrite,
    RoleWrite,
)
from infra.bus import Revocation
from models import orgs
from models.orgs import Role

router = APIRouter(tags=["orgs"], route_class=IdempotentRoute)


@router.post("/orgs", status_code=201)
async def found(body: OrgWrite, session: Session, actor: CurrentActor, revoked: Revoked) -> OrgRead:
    """Found an organization and own it."""
    organization = await orgs.found(session, actor, name=body.name)
    revoked(Revocation(user_id=actor.user_id, org_id=organization.id))
    return OrgRead.of(organization, Role.OWNER)


@router.get("/orgs")
async def mine(session: Session, actor: CurrentActor) -> Orgs:
    """The organizations one belongs to."""
    return Orgs(items=[OrgRead.of(*row) for row in await orgs.of(session, actor)])


@router.get("/orgs/{org_id}")
async def read(session: Session, scope: Scope) -> OrgRead:
    """One of them."""
    return OrgRead.of(await orgs.read(session, scope), scope.role)


@router.patch("/orgs/{org_id}")
async def rename(body: OrgWrite, session: Session, scope: Scope) -> OrgRead:
    """Give it another name."""
    return OrgRead.of(await orgs.rename(session, scope, name=body.name), scope.role)


@router.get("/orgs/{org_id}/members")
async def members(session: Session, scope: Scope) -> Members:
    """Who belongs to it."""
    rows = await orgs.members(session, scope)
    return Members(
        items=[
            MemberRead(
                user_id=user.id,
                name=user.name,
                email=user.email,
                role=Role(membership.role),
                joined_at=membership.created_at,
            )
            for membership, user in rows
        ]
    )


@router.patch("/orgs/{org_id}/members/{user_id}")
async def assign_role(
    user_id: UUID, body: RoleWrite, session: Session, scope: Scope, revoked: Revoked
) -> MembershipRead:
    """Give a member another role."""
    revoked(Revocation(user_id=user_id, org_id=scope.org_id))
    return MembershipRead.of(await orgs.assign_role(session, scope, user_id, body.role))


@router.delete("/orgs/{org_id}/members/{user_id}", status_code=204)
async def remove(user_id: UUID, session: Session, scope: Scope, revoked: Revoked) -> None:
    """Remove a member, or leave."""
    revoked(Revocation(user_id=user_id, org_id=scope.org_id))
    await orgs.remove(session, scope, user_id)


@router.post("/orgs/{org_id}/invitations", status_code=201)
async def invite(body: InvitationWrite, session: Session, scope: Scope) -> InvitationRead:
    """Invite somebody; the token is shown this once."""
    return InvitationRead.of(*await orgs.invite(session, scope, email=body.email, role=body.role))


@router.get("/orgs/{org_id}/invitations")
async def invitations(session: Session, scope: Scope) -> Invitations:
    """Open invitations."""
    return Invitations(items=[InvitationRead.of(item) for item in await orgs.invitations(session, scope)])


@router.delete("/orgs/{org_id}/invitations/{invitation_id}", status_code=204)
async def withdraw(invitation_id: UUID, session: Session, scope: Scope) -> None:
    """Take an invitation back."""
    await orgs.withdraw(session, scope, invitation_id)


@router.post("/invitations/accept")
async def accept(body: Accept, session: Session, actor: CurrentActor, revoked: Revoked) -> MembershipRead:
    """Join the organization one was invited to."""
    membership = await orgs.accept(session, actor, body.token)
    revoked(Revocation(user_id=actor.user_id, org_id=membership.org_id))
    return MembershipRead.of(membership)
