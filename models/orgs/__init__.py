"""Organizations and who may do what in them."""

from models.orgs.scope import MayNot, OrgNotFound, OrgScope, Permission, Role, enter
from models.orgs.service import (
    AlreadyMember,
    InvitationNotFound,
    LastOwner,
    MemberNotFound,
    accept,
    assign_role,
    found,
    invitations,
    invite,
    members,
    of,
    read,
    remove,
    rename,
    withdraw,
)
from models.orgs.tables import Invitation, Membership, Organization

__all__ = [
    "AlreadyMember",
    "Invitation",
    "InvitationNotFound",
    "LastOwner",
    "MayNot",
    "MemberNotFound",
    "Membership",
    "OrgNotFound",
    "OrgScope",
    "Organization",
    "Permission",
    "Role",
    "accept",
    "assign_role",
    "enter",
    "found",
    "invitations",
    "invite",
    "members",
    "of",
    "read",
    "remove",
    "rename",
    "withdraw",
]
