"""What accounts and sessions look like to clients."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr, SecretStr, StringConstraints

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
    created_at: datetime


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
    user_agent: str
    ip: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool = False


class Sessions(BaseModel):
    """All of them."""

    items: list[SessionRead]
    next_cursor: str | None = None
