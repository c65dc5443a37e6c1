"""Typed tenancy: who may do what in which organization.

An `OrgScope` is made by `enter`, from a membership, and nowhere else (`tests/architecture` holds
the code to it). Every verb on something an organization owns takes one.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models.auth import Actor
from models.errors import Forbidden, NotFound
from models.orgs import queries


class Permission(StrEnum):
    """Everything that can be allowed, alphabetically."""

    DOCUMENT_CREATE = "document:create"
    DOCUMENT_DELETE = "document:delete"
    DOCUMENT_READ = "document:read"
    DOCUMENT_WRITE = "document:write"
    MEMBER_INVITE = "member:invite"
    MEMBER_LIST = "member:list"
    MEMBER_MANAGE = "member:manage"
    ORG_DELETE = "org:delete"
    ORG_UPDATE = "org:update"
    OWNER_MANAGE = "owner:manage"
    PIPELINE_REPLAY = "pipeline:replay"


class Role(StrEnum):
    """What somebody is in an organization."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


_MEMBER = frozenset(
    {
        Permission.DOCUMENT_CREATE,
        Permission.DOCUMENT_DELETE,
        Permission.DOCUMENT_READ,
        Permission.DOCUMENT_WRITE,
        Permission.MEMBER_LIST,
    }
)
_ADMIN = _MEMBER | {
    Permission.MEMBER_INVITE,
    Permission.MEMBER_MANAGE,
    Permission.ORG_UPDATE,
    Permission.PIPELINE_REPLAY,
}
_OWNER = _ADMIN | {Permission.ORG_DELETE, Permission.OWNER_MANAGE}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.ADMIN: _ADMIN,
    Role.MEMBER: _MEMBER,
}


class OrgNotFound(NotFound):
    """There is no such organization, or you do not belong to it."""


class MayNot(Forbidden):
    """Your role in this organization does not allow that."""


@dataclass(frozen=True, slots=True)
class OrgScope:
    """Somebody acting in an organization they belong to."""

    org_id: UUID
    actor: Actor
    role: Role

    def require(self, permission: Permission) -> None:
        """Raises MayNot unless the role allows it."""
        if permission not in PERMISSIONS[self.role]:
            raise MayNot()

    def allows(self, permission: Permission) -> bool:
        """Whether the role allows it."""
        return permission in PERMISSIONS[self.role]


async def enter(session: AsyncSession, actor: Actor, org_id: UUID) -> OrgScope:
    """The scope of somebody in an organization.

    Raises:
        OrgNotFound: it does not exist, or they do not belong to it; nobody learns which.
    """
    membership = await queries.membership(session, org_id, actor.user_id)
    if membership is None:
        raise OrgNotFound()
    return OrgScope(org_id, actor, Role(membership.role))
