"""`/orgs/{org_id}/invitations` and `/invitations/accept`: inviting by mail and by link, and joining."""

from uuid import UUID

from api.deps import CurrentActor, Revoked, Scope, Session
from api.orgs.invitation_schemas import Accept, InvitationLinkWrite, InvitationRead, Invitations, InvitationWrite
from api.orgs.schemas import MembershipRead
from api.routing import v1
from infra.bus import Revocation
from models import orgs, sharing

router = v1(tags=["orgs"])


@router.post("/orgs/{org_id}/invitations", status_code=201)
async def invite(body: InvitationWrite, session: Session, scope: Scope) -> InvitationRead:
    """Invite whoever has an address, by mail; the token is also shown this once."""
    invited = await orgs.invite(session, scope, email=body.email, role=body.role, lifetime=body.lifetime)
    return InvitationRead.of(invited.invitation, invited.token)


@router.post("/orgs/{org_id}/invitation-links", status_code=201)
async def invite_by_link(body: InvitationLinkWrite, session: Session, scope: Scope) -> InvitationRead:
    """A link with which several people can join; the token is shown this once."""
    invited = await orgs.invite_by_link(session, scope, role=body.role, max_uses=body.max_uses, lifetime=body.lifetime)
    return InvitationRead.of(invited.invitation, invited.token)


@router.get("/orgs/{org_id}/invitations")
async def invitations(session: Session, scope: Scope) -> Invitations:
    """Open invitations, those by link among them."""
    return Invitations(items=[InvitationRead.of(item) for item in await orgs.invitations(session, scope)])


@router.post("/orgs/{org_id}/invitations/{invitation_id}/resend")
async def resend(invitation_id: UUID, session: Session, scope: Scope) -> InvitationRead:
    """Give an invitation a new token and new time; the old token is over."""
    invited = await orgs.resend(session, scope, invitation_id)
    return InvitationRead.of(invited.invitation, invited.token)


@router.delete("/orgs/{org_id}/invitations/{invitation_id}", status_code=204)
async def withdraw(invitation_id: UUID, session: Session, scope: Scope) -> None:
    """Take an invitation back."""
    await orgs.withdraw(session, scope, invitation_id)


@router.post("/invitations/accept")
async def accept(body: Accept, session: Session, actor: CurrentActor, revoked: Revoked) -> MembershipRead:
    """Join the organization one was invited to."""
    membership = await sharing.accept(session, actor, body.token)
    revoked(Revocation(user_id=actor.user_id))
    return MembershipRead.of(membership)
