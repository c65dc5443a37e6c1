"""What second factors and passkeys look like to clients."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from api.federation.schemas import IdentityRead
from models.factors import Assertion, Method, Proof

Base64 = Annotated[str, StringConstraints(max_length=64 * 1024, pattern=r"^[A-Za-z0-9_-]*=*$")]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=6, max_length=40)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class AuthenticatorResponse(BaseModel):
    """The part of a credential that the authenticator made."""

    # Browsers add members as the specification grows; what is not named here is not looked at.
    model_config = ConfigDict(extra="ignore")
    clientDataJSON: Base64
    attestationObject: Base64 | None = None
    authenticatorData: Base64 | None = None
    signature: Base64 | None = None
    userHandle: Base64 | None = None
    transports: list[Annotated[str, StringConstraints(max_length=40)]] = Field(default_factory=list, max_length=20)


class PasskeyCredential(BaseModel):
    """What `credential.toJSON()` gives in a browser."""

    model_config = ConfigDict(extra="ignore")
    id: Base64
    rawId: Base64
    type: Annotated[str, StringConstraints(max_length=40)]
    response: AuthenticatorResponse


class PasskeyAnswer(BaseModel):
    """An authenticator's answer to a question."""

    model_config = ConfigDict(extra="forbid")
    challenge_id: UUID
    credential: PasskeyCredential

    def assertion(self) -> Assertion:
        """The same for the domain."""
        return Assertion(self.challenge_id, self.credential.model_dump(exclude_none=True))


class PasskeyQuestion(BaseModel):
    """What to ask an authenticator; answer with the id within five minutes, once."""

    model_config = ConfigDict(from_attributes=True)
    challenge_id: UUID
    options: dict[str, Any]
    """For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`."""


class PasskeyRegister(PasskeyAnswer):
    """A new passkey, and what to call it."""

    name: Label = "Passkey"


class PasskeyRename(BaseModel):
    """Another name for a passkey."""

    model_config = ConfigDict(extra="forbid")
    name: Label


class PasskeyRead(BaseModel):
    """A passkey, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    name: str
    aaguid: str
    """Which model of authenticator it says it is."""
    transports: list[str]
    backed_up: bool
    """Whether it is synchronized, so that it outlives the device."""
    created_at: datetime
    last_used_at: datetime | None


class Passkeys(BaseModel):
    """All of them."""

    items: list[PasskeyRead]
    next_cursor: str | None = None


class PasskeyRegistered(BaseModel):
    """A new passkey; and recovery codes where it is the account's first second factor. They are shown once."""

    passkey: PasskeyRead
    recovery_codes: list[str] | None


class SecondFactor(BaseModel):
    """One second factor."""

    model_config = ConfigDict(extra="forbid")
    totp: Code | None = None
    recovery_code: Code | None = None
    passkey: PasskeyAnswer | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self._given()) != 1:
            raise ValueError("give one of totp, recovery_code and passkey")
        return self

    def proof(self) -> Proof:
        """The same for the domain."""
        return Proof(self.totp, self.recovery_code, self.passkey.assertion() if self.passkey else None)

    def _given(self) -> list[object]:
        return [given for given in (self.totp, self.recovery_code, self.passkey) if given is not None]


class CompleteLogin(SecondFactor):
    """The token that `POST /auth/login` gave, and one second factor."""

    token: Annotated[str, StringConstraints(max_length=2000)]


class LoginToken(BaseModel):
    """The token that `POST /auth/login` gave."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, StringConstraints(max_length=2000)]


class SecondFactorChallenge(BaseModel):
    """What is still missing."""

    model_config = ConfigDict(from_attributes=True)
    token: str
    methods: list[Method]
    expires_in: int
    """Seconds."""


class SecondFactorRequired(BaseModel):
    """The password was right, nobody is signed in yet: `POST /auth/login/second-factor` is next."""

    second_factor: SecondFactorChallenge


class Reauthenticate(SecondFactor):
    """A passkey; or the password, with a second factor where the account has one."""

    password: SecretStr | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = len(self._given())
        if given > 1 or (self.passkey is None and self.password is None):
            raise ValueError("give a passkey, or the password with at most one code")
        return self


class Reauthenticated(BaseModel):
    """It is still you."""

    expires_in: int
    """Seconds that changes to the ways of signing in are allowed without asking again."""


class TotpEnrolment(BaseModel):
    """What to give to an authenticator app; shown once."""

    model_config = ConfigDict(from_attributes=True)
    secret: str
    """Base32."""
    uri: str
    """The same as `otpauth://`, for a QR code."""


class TotpConfirm(BaseModel):
    """The code that the app shows."""

    model_config = ConfigDict(extra="forbid")
    code: Code


class RecoveryCodes(BaseModel):
    """Codes that stand in for a second factor, each once. They are shown once."""

    recovery_codes: list[str] | None


class Methods(BaseModel):
    """How one can sign in."""

    password: bool
    totp: bool
    recovery_codes: int
    """Those that are left."""
    passkeys: list[PasskeyRead]
    identities: list[IdentityRead]
