"""Typed tenancy: who may do what in which organization, and at which document of it.

An `OrgScope` is made by `enter`, from a membership; a `DocumentScope` by `at_document`, from a membership and what is
granted; a `LinkScope` by `by_link`, from a link. None is made anywhere else (`tests/architecture` holds the code to
that). Every verb on something an organization owns takes one.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models.auth import Actor, TokenScope
from models.errors import Forbidden, NotFound
from models.orgs import queries


class Permission(StrEnum):
    """Everything that can be allowed, alphabetically."""

    AUDIT_READ = "audit:read"
    BACKUP_LIST = "backup:list"
    BACKUP_MAKE = "backup:make"
    DOCUMENT_COMMENT = "document:comment"
    DOCUMENT_CREATE = "document:create"
    DOCUMENT_DELETE = "document:delete"
    DOCUMENT_LIST = "document:list"
    DOCUMENT_READ = "document:read"
    DOCUMENT_SHARE = "document:share"
    DOCUMENT_WRITE = "document:write"
    GROUP_LIST = "group:list"
    GROUP_MANAGE = "group:manage"
    MEMBER_INVITE = "member:invite"
    MEMBER_LIST = "member:list"
    MEMBER_MANAGE = "member:manage"
    ORG_DELETE = "org:delete"
    ORG_UPDATE = "org:update"
    OWNER_MANAGE = "owner:manage"
    PIPELINE_LIST = "pipeline:list"
    PIPELINE_REPLAY = "pipeline:replay"
    WEBHOOK_MANAGE = "webhook:manage"


class Role(StrEnum):
    """What somebody is in an organization."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    GUEST = "guest"
    """Somebody from outside, who sees the documents that were granted to them and nothing else."""


class Level(IntEnum):
    """How much somebody may do with one document; each contains those before it."""

    NONE = 0
    READ = 1
    COMMENT = 2
    WRITE = 3
    MANAGE = 4


LEVELS: dict[Permission, Level] = {
    Permission.DOCUMENT_READ: Level.READ,
    Permission.DOCUMENT_COMMENT: Level.COMMENT,
    Permission.DOCUMENT_WRITE: Level.WRITE,
    Permission.DOCUMENT_DELETE: Level.MANAGE,
    Permission.DOCUMENT_SHARE: Level.MANAGE,
}
"""What is decided document by document, and the level it takes."""

_GUEST = frozenset({Permission.DOCUMENT_LIST})
_MEMBER = _GUEST | {Permission.DOCUMENT_CREATE, Permission.GROUP_LIST, Permission.MEMBER_LIST}
_ADMIN = (
    _MEMBER
    | LEVELS.keys()  # they manage every document
    | {
        Permission.AUDIT_READ,
        Permission.BACKUP_LIST,
        Permission.BACKUP_MAKE,
        Permission.GROUP_MANAGE,
        Permission.MEMBER_INVITE,
        Permission.MEMBER_MANAGE,
        Permission.ORG_UPDATE,
        Permission.PIPELINE_LIST,
        Permission.PIPELINE_REPLAY,
        Permission.WEBHOOK_MANAGE,
    }
)
_OWNER = _ADMIN | {Permission.ORG_DELETE, Permission.OWNER_MANAGE}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.ADMIN: _ADMIN,
    Role.MEMBER: _MEMBER,
    Role.GUEST: _GUEST,
}
"""What a role allows throughout the organization. What members and guests may do to a document their level says."""

_TO_READ = frozenset(
    {Permission.DOCUMENT_LIST, Permission.DOCUMENT_READ, Permission.GROUP_LIST, Permission.MEMBER_LIST}
)
_TO_WRITE = _TO_READ | {
    Permission.DOCUMENT_COMMENT,
    Permission.DOCUMENT_CREATE,
    Permission.DOCUMENT_DELETE,
    Permission.DOCUMENT_WRITE,
}

TOKENS: dict[TokenScope, frozenset[Permission]] = {
    TokenScope.READ: _TO_READ,
    TokenScope.WRITE: _TO_WRITE,
    TokenScope.ADMIN: frozenset(Permission),
}
"""What a personal access token can be used for; never for more than its owner may do."""


def within_token(actor: Actor, permission: Permission) -> bool:
    """Whether what somebody came with is for this: a session is for everything."""
    scopes = actor.token_scopes
    return scopes is None or any(permission in TOKENS[TokenScope(scope)] for scope in scopes)


def require_token(actor: Actor, permission: Permission) -> None:
    """For what people do for themselves, which takes no role: raises MayNot where their token is not for that."""
    if not within_token(actor, permission):
        raise MayNot()


def effective(role: Role, *, is_creator: bool, org_access: Level, granted: Level) -> Level:
    """The level somebody has on a document.

    Owners and admins manage all; a member manages what they created and has what the document gives to the organization
    elsewhere; grants raise it. A guest has grants only, even on what they created before they became one.
    """
    if role in (Role.OWNER, Role.ADMIN) or (role == Role.MEMBER and is_creator):
        return Level.MANAGE
    return max(granted, org_access) if role == Role.MEMBER else granted


class OrgNotFound(NotFound):
    """There is no such organization, or you do not belong to it."""


class MayNot(Forbidden):
    """Your role in this organization, or your access to this document, does not allow that."""


@dataclass(frozen=True, slots=True)
class OrgScope:
    """Somebody acting in an organization they belong to."""

    org_id: UUID
    actor: Actor
    role: Role

    def require(self, permission: Permission) -> None:
        """Raises MayNot unless it is allowed."""
        if not self.allows(permission):
            raise MayNot()

    def allows(self, permission: Permission) -> bool:
        """Whether the role allows it, and the token, of whoever comes with one."""
        return permission in PERMISSIONS[self.role] and within_token(self.actor, permission)


@dataclass(frozen=True, slots=True)
class DocumentScope(OrgScope):
    """Somebody acting on one document: what concerns documents is decided by their level on this one."""

    document_id: UUID
    level: Level

    def allows(self, permission: Permission) -> bool:
        """Whether the level allows it, or the role, where it is not about documents."""
        wanted = LEVELS.get(permission)
        if wanted is None:
            return OrgScope.allows(self, permission)
        return self.level >= wanted and within_token(self.actor, permission)


@dataclass(frozen=True, slots=True)
class LinkScope(DocumentScope):
    """Somebody without an account who has a link to one document: nothing else is theirs."""

    def allows(self, permission: Permission) -> bool:
        """Whether the link's level allows it."""
        wanted = LEVELS.get(permission)
        return wanted is not None and self.level >= wanted


@dataclass(frozen=True, slots=True)
class LinkVisitor:
    """What is known of somebody who has opened a link that is live."""

    org_id: UUID
    document_id: UUID
    link_id: UUID
    visitor_id: UUID
    """Of one opening of the link, as a session is of one sign-in."""
    level: Level


async def enter(session: AsyncSession, actor: Actor, org_id: UUID) -> OrgScope:
    """The scope of somebody in an organization.

    Raises:
        OrgNotFound: it does not exist, they do not belong to it or are suspended, or it is suspended or deleted; nobody
            learns which.
    """
    role = await queries.live_role(session, org_id, actor.user_id)
    if role is None:
        raise OrgNotFound()
    return OrgScope(org_id, actor, Role(role))


def at_document(
    actor: Actor, *, org_id: UUID, role: Role, document_id: UUID, is_creator: bool, org_access: int, granted: int
) -> DocumentScope:
    """The scope of somebody with a live membership at a document of that organization."""
    level = effective(role, is_creator=is_creator, org_access=Level(org_access), granted=Level(granted))
    return DocumentScope(org_id, actor, role, document_id, level)


def by_link(visitor: LinkVisitor) -> LinkScope:
    """The scope of somebody with a live link. What they write has the link as its author."""
    actor = Actor(visitor.link_id, visitor.visitor_id, "Somebody with a link")
    return LinkScope(visitor.org_id, actor, Role.GUEST, visitor.document_id, visitor.level)
