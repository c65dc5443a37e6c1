"""What can go wrong in organizations."""

from models.errors import Conflict, Forbidden, Invalid, NotFound


class MemberNotFound(NotFound):
    """There is no such member."""


class GroupNotFound(NotFound):
    """There is no such group."""


class InvitationNotFound(NotFound):
    """There is no such invitation, or it is over."""


class LastOwner(Conflict):
    """An organization keeps at least one owner."""


class AlreadyMember(Conflict):
    """They belong to this organization already."""


class GroupExists(Conflict):
    """There is a group of this name already."""


class NotOneself(Conflict):
    """You cannot do that to yourself."""


class NotAnOwner(Conflict):
    """Only a member who is neither a guest nor suspended can become the owner."""


class NameDiffers(Invalid):
    """That is not the name of the organization."""


class NoOwnerByLink(Invalid):
    """Owners are invited by mail, one at a time."""


class DomainNotAllowed(Forbidden):
    """This organization is for addresses of other domains."""
