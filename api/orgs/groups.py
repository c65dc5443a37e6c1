"""`/orgs/{org_id}/groups`: groups and who is in them."""

from uuid import UUID

from api.deps import Revoked, Scope, Session, only_reads
from api.orgs.schemas import GroupMemberRead, GroupMembers, GroupRead, Groups, GroupWrite
from api.routing import v1
from infra.bus import Revocation
from models import orgs

router = v1("/orgs/{org_id}/groups", tags=["orgs", "groups"])


@router.post("", status_code=201)
async def create(body: GroupWrite, session: Session, scope: Scope) -> GroupRead:
    """Create a group with nobody in it."""
    return GroupRead.of(await orgs.create_group(session, scope, name=body.name), 0)


@router.get("")
@only_reads
async def groups(session: Session, scope: Scope) -> Groups:
    """All groups, by name."""
    return Groups(items=[GroupRead.of(*row) for row in await orgs.groups(session, scope)])


@router.patch("/{group_id}")
async def rename(group_id: UUID, body: GroupWrite, session: Session, scope: Scope) -> GroupRead:
    """Give a group another name."""
    group = await orgs.rename_group(session, scope, group_id, name=body.name)
    return GroupRead.of(group, len(await orgs.group_members(session, scope, group_id)))


@router.delete("/{group_id}", status_code=204)
async def delete(group_id: UUID, session: Session, scope: Scope, revoked: Revoked) -> None:
    """Delete a group, and with it what was granted to it."""
    await orgs.delete_group(session, scope, group_id)
    revoked(Revocation(org_id=scope.org_id))


@router.get("/{group_id}/members")
@only_reads
async def members(group_id: UUID, session: Session, scope: Scope) -> GroupMembers:
    """Who is in a group."""
    found = await orgs.group_members(session, scope, group_id)
    return GroupMembers(items=[GroupMemberRead(user_id=user.id, name=user.name) for user in found])


@router.put("/{group_id}/members/{user_id}", status_code=204)
async def join(group_id: UUID, user_id: UUID, session: Session, scope: Scope) -> None:
    """Put a member into a group."""
    await orgs.join_group(session, scope, group_id, user_id)


@router.delete("/{group_id}/members/{user_id}", status_code=204)
async def leave(group_id: UUID, user_id: UUID, session: Session, scope: Scope, revoked: Revoked) -> None:
    """Take a member out of a group."""
    await orgs.leave_group(session, scope, group_id, user_id)
    revoked(Revocation(user_id=user_id, org_id=scope.org_id))
