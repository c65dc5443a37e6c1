"""Revisions: moments of a document that can be opened, compared and restored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    UniqueConstraint,
    Uuid,
)
from sqlmodel import Field

from models.base import OrgOwned, binary, created, document_key, key, reference


class Revision(OrgOwned, table=True):
    """The state of a document after `seq_to`, and what came since the revision before."""

    __tablename__ = "revisions"
    __table_args__ = (
        document_key(),
        UniqueConstraint("org_id", "document_id", "number"),
        Index("ix_revisions_seq", "org_id", "document_id", "seq_to"),
        CheckConstraint("state IN ('pending', 'stored', 'derived', 'failed')", name="state"),
        CheckConstraint("kind IN ('automatic', 'named', 'restore')", name="kind"),
    )

    id: UUID = key()
    document_id: UUID = reference()
    number: int = Field(sa_type=Integer)
    kind: str = "automatic"
    name: str | None = None
    seq_from: int = Field(sa_type=BigInteger)
    """The first seq that is new here; greater than `seq_to` where nothing is."""
    seq_to: int = Field(sa_type=BigInteger)
    authors: list[UUID] = Field(sa_type=ARRAY(Uuid))
    chain: bytes = binary()
    state: str = "pending"
    """derived: its snapshot was given up, since folding again from an older one gives the same bytes."""
    sha256: str | None = None
    """Of the uncompressed snapshot; also its name in the object store."""
    bytes_raw: int | None = Field(default=None, sa_type=BigInteger)
    bytes_stored: int | None = Field(default=None, sa_type=BigInteger)
    flow_run_id: UUID | None = reference(nullable=True)
    created_by: UUID | None = reference(nullable=True)
    created_at: datetime = created()


class RetentionPolicy(OrgOwned, table=True):
    """How long an organization keeps automatic revisions. Where there is none, all are kept.

    Every one for `all_days`; then the last of each hour for `hourly_days` and of each day for
    `daily_days`, all counted from now; then the last of each week.
    """

    __tablename__ = "retention_policies"
    __table_args__ = (
        CheckConstraint("0 <= all_days AND all_days <= hourly_days AND hourly_days <= daily_days", name="days"),
    )

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    all_days: int = Field(sa_type=Integer)
    hourly_days: int = Field(sa_type=Integer)
    daily_days: int = Field(sa_type=Integer)
    updated_by: UUID = reference()
    updated_at: datetime = created()
