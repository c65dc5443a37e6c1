"""Identities at other providers, and the sign-ins that are under way there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ForeignKey, UniqueConstraint, Uuid
from sqlmodel import Field, SQLModel

from models.base import binary, created, key, timestamp


class FederatedIdentity(SQLModel, table=True):
    """Who somebody is at a provider. Issuer and subject say that; the address may change there."""

    __tablename__ = "federated_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject", name="uq_federated_identities_issuer"),)

    id: UUID = key()
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    provider: str
    issuer: str
    subject: str
    email: str
    """The address at the provider when it was linked, to recognize it by; nothing is decided by it."""
    created_at: datetime = created()
    last_used_at: datetime | None = timestamp(default=None, nullable=True)


class Errand(SQLModel, table=True):
    """Somebody was sent to a provider: what must come back; deleted by the first callback."""

    __tablename__ = "federation_errands"

    id: UUID = key()
    provider: str
    sealed: bytes = binary()
    """State, nonce and PKCE verifier, sealed with this row's id as place."""
    return_to: str
    user_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=True)
    )
    """Whose account it is to be linked with; None for a sign-in."""
    session_id: UUID | None = Field(
        default=None,
        sa_column=Column(Uuid, ForeignKey("auth_sessions.id", ondelete="CASCADE"), index=True, nullable=True),
    )
    expires_at: datetime = timestamp(nullable=False, index=True)
