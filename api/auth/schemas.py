"""What accounts and sessions look like to clients."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr, Field, SecretStr, StringConstraints

from models.auth import AuthSession, TokenScope, devices

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Register(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")
    email: EmailStr
    password: SecretStr
    name: Name


class Login(BaseModel):
    """Credentials."""

    model_config = ConfigDict(extra="forbid")
    email: EmailStr
    password: SecretStr


class UserRead(BaseModel):
    """An account, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    email: str
    name: str
    is_operator: bool = False
    created_at: datetime
    email_verified_at: datetime | None = None


class SignedIn(BaseModel):
    """A session: the access token for scripts; browsers also get cookies."""

    user: UserRead
    access_token: str
    token_type: str = "bearer"  # noqa: S105 (the name of a scheme)
    expires_in: int
    """Seconds."""


class SessionRead(BaseModel):
    """Where somebody is signed in."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    device: str
    """As a person would call it: `Firefox on Linux`."""
    user_agent: str
    ip: str
    """Where it was used last."""
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool = False

    @classmethod
    def of(cls, session: AuthSession, current: UUID | None) -> Self:
        """A session, as seen from another one."""
        return cls(
            **session.model_dump(include={"id", "user_agent", "ip", "created_at", "last_used_at", "expires_at"}),
            device=devices.name_of(session.user_agent),
            current=session.id == current,
        )


class Sessions(BaseModel):
    """All of them."""

    items: list[SessionRead]
    next_cursor: str | None = None


class TokenWrite(BaseModel):
    """A wish for a personal access token."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    scopes: Annotated[list[TokenScope], Field(min_length=1, max_length=3)]
    expires_in_days: Annotated[int, Field(ge=1, le=365)] = 90


class TokenRead(BaseModel):
    """A personal access token, without what makes it work."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    name: str
    scopes: list[TokenScope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    """To the minute."""


class TokenCreated(TokenRead):
    """The same, just made: `token` is shown this once."""

    token: str


class Tokens(BaseModel):
    """All of them."""

    items: list[TokenRead]
    next_cursor: str | None = None


class Leave(BaseModel):
    """One's password, or nothing where one has proved lately who one is (`POST /auth/reauthenticate`)."""

    model_config = ConfigDict(extra="forbid")
    password: SecretStr | None = None


class Leaving(BaseModel):
    """When the account will be erased."""

    erased_after: datetime


class PersonalExportRead(BaseModel):
    """An export of everything that is known about somebody."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    state: str
    bytes: int | None
    sha256: str | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    download_url: str | None = None
    """For whoever is signed in as its owner, until it expires."""


class PersonalExports(BaseModel):
    """All of them."""

    items: list[PersonalExportRead]
    next_cursor: str | None = None


class Asked(BaseModel):
    """What was asked for will be done, if there is reason to; by mail."""

    detail: str


class Rename(BaseModel):
    """Another name."""

    model_config = ConfigDict(extra="forbid")
    name: Name


class Address(BaseModel):
    """An address, of whomever."""

    model_config = ConfigDict(extra="forbid")
    email: EmailStr


class Token(BaseModel):
    """The token of a link that was mailed."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[SecretStr, Field(max_length=200)]


class PasswordReset(Token):
    """The token of a link that was mailed, and a new password."""

    password: SecretStr


class PasswordChange(BaseModel):
    """The password so far, and another one."""

    model_config = ConfigDict(extra="forbid")
    old_password: SecretStr
    new_password: SecretStr


class EmailChange(BaseModel):
    """Another address, and one's password."""

    model_config = ConfigDict(extra="forbid")
    email: EmailStr
    password: SecretStr
