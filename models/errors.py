"""What can go wrong in the domain: the class is the meaning, the docstring the message.

Status and close codes belong to the doors.
"""

import inspect


class DoxieError(Exception):
    """Something went wrong."""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or inspect.cleandoc(type(self).__doc__ or ""))

    @property
    def detail(self) -> str:
        """What to tell whoever asked."""
        return str(self.args[0])


class NotFound(DoxieError):
    """There is no such thing, or not for you."""


class Forbidden(DoxieError):
    """You may see this, but not do that."""


class Unauthenticated(DoxieError):
    """Sign in first."""


class Conflict(DoxieError):
    """That contradicts what is there already."""


class Invalid(DoxieError):
    """The request does not make sense."""


class PreconditionFailed(DoxieError):
    """It has changed since you read it."""


class TooLarge(DoxieError):
    """That is more than allowed."""


class Unavailable(DoxieError):
    """That cannot be done right now; nothing was changed."""


class TooMany(DoxieError):
    """That is too often: try again later."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        """How much later."""
