"""People, their sessions, and the refresh tokens of each session."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Uuid, func
from sqlmodel import Field, SQLModel

from models.base import created, key, timestamp


class User(SQLModel, table=True):
    """A person. Not owned by any organization."""

    __tablename__ = "users"

    id: UUID = key()
    email: str
    name: str
    password_hash: str | None
    is_operator: bool = False
    created_at: datetime = created()
    tokens_valid_from: datetime | None = timestamp(default=None, nullable=True)
    """Tokens issued before this moment are over, whatever they say."""


Index("uq_users_email_lower", func.lower(User.email), unique=True)


class AuthSession(SQLModel, table=True):
    """One sign-in on one device: the family of its refresh tokens."""

    __tablename__ = "auth_sessions"

    id: UUID = key()
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    user_agent: str = ""
    ip: str = ""
    created_at: datetime = created()
    last_used_at: datetime = created()
    expires_at: datetime = timestamp(nullable=False)
    revoked_at: datetime | None = timestamp(default=None, nullable=True)


class RefreshToken(SQLModel, table=True):
    """The hash of a refresh token, kept after its use so that a replay is recognized."""

    __tablename__ = "refresh_tokens"

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    session_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("auth_sessions.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    created_at: datetime = created()
    used_at: datetime | None = timestamp(default=None, nullable=True)
