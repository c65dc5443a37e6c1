"""What can go wrong when documents are shared."""

from models.errors import Conflict, Forbidden, NotFound


class GrantNotFound(NotFound):
    """There is no such grant."""


class RequestNotFound(NotFound):
    """There is no such request, or it has been decided."""


class LinkNotFound(NotFound):
    """There is no such link, or it is over."""


class PasswordNeeded(Forbidden):
    """This link opens with its password."""


class AllowedAlready(Conflict):
    """You may do that already."""


class NotOutside(Forbidden):
    """Members of this organization do not let people from outside see documents: ask an admin."""
