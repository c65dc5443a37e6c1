"""What can go wrong with second factors and passkeys."""

from models.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated


class SignInExpired(Unauthenticated):
    """This sign-in took too long, was tried too often or is complete already: start again."""


class WrongFactor(Unauthenticated):
    """That code or passkey is not valid, or not any more."""


class TooManyGuesses(TooMany):
    """Too many codes were tried: wait an hour, or use a passkey."""


class ReauthenticationNeeded(Forbidden):
    """Prove first that it is still you, with `POST /auth/reauthenticate`; that holds for ten minutes."""


class TotpActive(Conflict):
    """An authenticator app is set up already: disable it first."""


class TotpMissing(NotFound):
    """No authenticator app is set up."""


class WrongCode(Invalid):
    """That is not the code the authenticator app shows now: check the clock of the device."""


class NoSecondFactor(Conflict):
    """Recovery codes stand in for a second factor: set one up first."""


class PasskeyMissing(NotFound):
    """You have no such passkey."""


class PasskeyInvalid(Invalid):
    """What the authenticator answered does not fit what it was asked, or was asked too long ago."""


class PasskeyKnown(Conflict):
    """This passkey is registered already."""


class TooManyPasskeys(Conflict):
    """Nobody needs more than 25 passkeys: delete one first."""


class LastWay(Conflict):
    """This is the last way to sign in to the account: add another one first."""
