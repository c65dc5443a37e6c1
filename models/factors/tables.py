"""Second factors, passkeys, and the sign-ins that wait for one.

Nothing here belongs to an organization, and nothing that counts or is used once lies in Redis: a
wiped Redis must not make a code valid again.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import binary, created, key, reference, timestamp


class Totp(SQLModel, table=True):
    """Somebody's authenticator app: the secret it shares with us, sealed with this row's id as place."""

    __tablename__ = "totps"

    id: UUID = key()
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), unique=True, nullable=False)
    )
    secret: bytes = binary()
    last_step: int = Field(default=0, sa_type=BigInteger)
    """The newest time step a code was accepted for: neither it nor an earlier one is accepted again."""
    created_at: datetime = created()
    confirmed_at: datetime | None = timestamp(default=None, nullable=True)
    """Until a first code proves that the app has the secret, it is not asked for."""


class RecoveryCode(SQLModel, table=True):
    """The keyed hash of a code that stands in for a second factor, once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "digest", name="uq_recovery_codes_user_id"),)

    id: UUID = key()
    user_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False))
    digest: bytes = binary()
    created_at: datetime = created()
    used_at: datetime | None = timestamp(default=None, nullable=True)


class Passkey(SQLModel, table=True):
    """A WebAuthn credential: the public key of one that an authenticator of somebody keeps."""

    __tablename__ = "passkeys"

    id: UUID = key()
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    credential_id: bytes = Field(sa_column=Column(LargeBinary, unique=True, nullable=False))
    public_key: bytes = binary()
    sign_count: int = Field(default=0, sa_type=BigInteger)
    name: str
    aaguid: str = ""
    """Which model of authenticator it says it is; not attested."""
    transports: list[str] = Field(default_factory=list, sa_type=JSONB)
    backed_up: bool = False
    created_at: datetime = created()
    last_used_at: datetime | None = timestamp(default=None, nullable=True)


class PasskeyChallenge(SQLModel, table=True):
    """What an authenticator has been asked to sign; the row is deleted by whoever answers first."""

    __tablename__ = "passkey_challenges"

    id: UUID = key()
    purpose: str
    challenge: bytes = binary()
    user_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=True)
    )
    bound_to: UUID | None = reference(default=None, nullable=True)
    """The session or the pending sign-in it was made for."""
    expires_at: datetime = timestamp(nullable=False, index=True)


class PendingSignIn(SQLModel, table=True):
    """A first factor was right, and a second one is awaited."""

    __tablename__ = "pending_sign_ins"

    id: UUID = key()
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    first: str
    """The first factor: `password`, or the id of a provider."""
    basis: bytes = binary()
    """The hash of the account's password hash: with another password the first factor is void."""
    fresh: bool = False
    """Whether it also proves that it is still them; see `reauthentication`."""
    attempts: int = 0
    expires_at: datetime = timestamp(nullable=False, index=True)


class FactorGuesses(SQLModel, table=True):
    """How many codes were tried for somebody since a moment, over all their sign-ins; gone after a right one."""

    __tablename__ = "factor_guesses"

    user_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    guesses: int = 0
    since: datetime = created()


class Reauthentication(SQLModel, table=True):
    """When somebody last proved in a session that it is still them."""

    __tablename__ = "reauthentications"

    session_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("auth_sessions.id", ondelete="CASCADE"), primary_key=True)
    )
    method: str
    proved_at: datetime = created()
