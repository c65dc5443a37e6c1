"""Second factors, passkeys, and signing in with them."""

from models.factors import (
    passkeys,
    proofs,
    reauthenticating,
    reauthentication,
    recovery,
    resetting,
    signing_in,
    totp,
    ways,
)
from models.factors.assertions import Assertion, Question
from models.factors.errors import (
    LastWay,
    NoSecondFactor,
    PasskeyInvalid,
    PasskeyKnown,
    PasskeyMissing,
    ReauthenticationNeeded,
    SignInExpired,
    TooManyGuesses,
    TooManyPasskeys,
    TotpActive,
    TotpMissing,
    WrongCode,
    WrongFactor,
)
from models.factors.proofs import Proof
from models.factors.signing_in import SecondFactorNeeded
from models.factors.tables import Passkey
from models.factors.totp import Enrolment
from models.factors.ways import Method, Ways

__all__ = [
    "Assertion",
    "Enrolment",
    "LastWay",
    "Method",
    "NoSecondFactor",
    "Passkey",
    "PasskeyInvalid",
    "PasskeyKnown",
    "PasskeyMissing",
    "Proof",
    "Question",
    "ReauthenticationNeeded",
    "SecondFactorNeeded",
    "SignInExpired",
    "TooManyGuesses",
    "TooManyPasskeys",
    "TotpActive",
    "TotpMissing",
    "Ways",
    "WrongCode",
    "WrongFactor",
    "passkeys",
    "proofs",
    "reauthenticating",
    "reauthentication",
    "recovery",
    "resetting",
    "signing_in",
    "totp",
    "ways",
]
