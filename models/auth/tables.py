"""People, their sessions with the refresh tokens of each, and the links they get by mail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlmodel import Field, SQLModel

from models.base import binary, created, key, timestamp


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
    email_verified_at: datetime | None = timestamp(default=None, nullable=True)
    """When somebody has shown that they read what is sent to this address."""
    deletion_due_at: datetime | None = timestamp(default=None, nullable=True)
    """When it will be erased, unless its owner signs in until then."""
    erased_at: datetime | None = timestamp(default=None, nullable=True)
    """Since then this is nobody's account: an id without a name, for what they did."""


Index("uq_users_email_lower", func.lower(User.email), unique=True)


class AuthSession(SQLModel, table=True):
    """One sign-in on one device: the family of its refresh tokens."""

    __tablename__ = "auth_sessions"
    __table_args__ = (CheckConstraint("kind IN ('browser', 'token')", name="kind"),)

    id: UUID = key()
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    kind: str = "browser"
    user_agent: str = ""
    ip: str = ""
    created_at: datetime = created()
    last_used_at: datetime = created()
    expires_at: datetime = timestamp(nullable=False)
    revoked_at: datetime | None = timestamp(default=None, nullable=True)


class PersonalAccessToken(SQLModel, table=True):
    """What a script signs in with. Its id is that of its session."""

    __tablename__ = "personal_access_tokens"
    __table_args__ = (UniqueConstraint("hash"),)

    id: UUID = Field(sa_column=Column(Uuid, ForeignKey("auth_sessions.id", ondelete="CASCADE"), primary_key=True))
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    name: str
    hash: bytes = binary()
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    created_at: datetime = created()
    expires_at: datetime = timestamp(nullable=False)
    last_used_at: datetime | None = timestamp(default=None, nullable=True)
    """To the minute."""


class RefreshToken(SQLModel, table=True):
    """The hash of a refresh token, kept after its use so that a replay is recognized."""

    __tablename__ = "refresh_tokens"

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    session_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("auth_sessions.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    created_at: datetime = created()
    used_at: datetime | None = timestamp(default=None, nullable=True)


class MailLink(SQLModel, table=True):
    """A link that was mailed to somebody: works once, and only its hash is known here."""

    __tablename__ = "mail_links"
    __table_args__ = (CheckConstraint("purpose IN ('verify_email', 'reset_password', 'change_email')", name="purpose"),)

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    purpose: str
    email: str
    """Where it was sent: following it shows who reads what is sent there."""
    password_hash: str | None = None
    """Of a registration: it becomes the account's once its own link is followed, and nobody else's."""
    name: str | None = None
    created_at: datetime = created()
    expires_at: datetime = timestamp(nullable=False)


class LinkRequest(SQLModel, table=True):
    """Somebody's wish for a link, whoever they are; a flow finds out."""

    __tablename__ = "link_requests"

    id: UUID = key()
    purpose: str
    sealed: bytes = binary()
    """What was asked for, encrypted: an address, and the hash of a password."""
    created_at: datetime = created()


class SigningKey(SQLModel, table=True):
    """A key that signs tokens."""

    __tablename__ = "signing_keys"

    kid: str = Field(primary_key=True)
    public_key: bytes = binary()
    sealed: bytes | None = binary(default=None, nullable=True)
    """The private key, encrypted; not here of the first key, which is in the settings, and of those that are over."""
    created_at: datetime = created()
    signs_from: datetime = timestamp(nullable=False)
    verifies_until: datetime | None = timestamp(default=None, nullable=True)
