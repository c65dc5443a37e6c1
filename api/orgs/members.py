"""`/orgs/{org_id}/members`: roles, ownership, suspending, removing, leaving."""

from uuid import UUID

from api.deps import Revoked, Scope, Session, only_reads
from api.orgs.schemas import MemberRead, Members, MembershipRead, RoleWrite, Transfer
from api.routing import v1
from infra.bus import Revocation
from models import orgs

router = v1("/orgs/{org_id}", tags=["orgs"])


@router.get("/members")
@only_reads
async def members(session: Session, scope: Scope) -> Members:
    """Who belongs to it."""
    return Members(items=[MemberRead.of(*row) for row in await orgs.members(session, scope)])


@router.patch("/members/{user_id}")
async def assign_role(
    user_id: UUID, body: RoleWrite, session: Session, scope: Scope, revoked: Revoked
) -> MembershipRead:
    """Give a member another role."""
    membership = await orgs.assign_role(session, scope, user_id, body.role)
    revoked(Revocation(user_id=user_id, org_id=scope.org_id))
    return MembershipRead.of(membership)


@router.delete("/members/{user_id}", status_code=204)
async def remove(user_id: UUID, session: Session, scope: Scope, revoked: Revoked) -> None:
    """Remove a member, or leave."""
    await orgs.remove(session, scope, user_id)
    revoked(Revocation(user_id=user_id, org_id=scope.org_id))


@router.post("/members/{user_id}/suspend")
async def suspend(user_id: UUID, session: Session, scope: Scope, revoked: Revoked) -> MembershipRead:
    """Keep a member out; everything of theirs stays for when they are let in again."""
    membership = await orgs.suspend(session, scope, user_id)
    revoked(Revocation(user_id=user_id, org_id=scope.org_id))
    return MembershipRead.of(membership)


@router.post("/members/{user_id}/reactivate")
async def reactivate(user_id: UUID, session: Session, scope: Scope, revoked: Revoked) -> MembershipRead:
    """Let a suspended member in again."""
    membership = await orgs.reactivate(session, scope, user_id)
    revoked(Revocation(user_id=user_id, org_id=scope.org_id))
    return MembershipRead.of(membership)


@router.post("/transfer")
async def transfer(body: Transfer, session: Session, scope: Scope, revoked: Revoked) -> MembershipRead:
    """Make somebody else the owner; one is an admin afterwards."""
    membership = await orgs.transfer(session, scope, body.user_id)
    for user_id in (body.user_id, scope.actor.user_id):
        revoked(Revocation(user_id=user_id, org_id=scope.org_id))
    return MembershipRead.of(membership)
