"""What can go wrong with signing in elsewhere."""

from models.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable


class ProviderUnknown(NotFound):
    """There is no such provider."""


class ProviderUnavailable(Unavailable):
    """The provider does not answer as it should: try again later, or sign in otherwise."""


class ErrandForeign(Unauthenticated):
    """This does not belong to a sign-in that began in this browser, or it took too long: start again."""


class SignInRefused(Unauthenticated):
    """The provider did not sign you in."""


class EmailUnverified(Forbidden):
    """The provider does not vouch for your email address, so no account can be opened with it."""


class SignInToLink(Conflict):
    """There is an account with this address: sign in to it, and link it with the provider there."""


class IdentityTaken(Conflict):
    """That account of the provider is linked already, here or with somebody else."""


class IdentityMissing(NotFound):
    """No such account of a provider is linked with yours."""


class ReturnRefused(Invalid):
    """`return_to` is a path on this site, such as /documents."""
