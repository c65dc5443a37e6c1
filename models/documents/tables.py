"""Documents and their journal, the one thing everything else is derived from."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlmodel import Field

from models.base import OrgOwned, binary, created, document_key, existing, key, reference, timestamp

GENESIS = bytes(32)
"""The chain hash before the first update."""
WORDS: Final[dict[str, Any]] = {"postgresql_using": "gin", "postgresql_with": {"gin_pending_list_limit": 256}}
"""An index of words. A search also reads all of what waits to be brought into it, so that has to be little (kB)."""


class Document(OrgOwned, table=True):
    """What is known about a document besides its content."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_id", "id"),
        Index("ix_documents_listing", "org_id", "created_at", "id"),
        ForeignKeyConstraint(
            ["org_id", "parent_id"], ["documents.org_id", "documents.id"], ondelete="SET NULL (parent_id)"
        ),
        Index("ix_documents_parent", "org_id", "parent_id"),
        Index("ix_documents_title_words", text("to_tsvector('simple', title)"), **WORDS),
        CheckConstraint("org_access BETWEEN 0 AND 3", name="org_access"),
    )

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    parent_id: UUID | None = reference(default=None, nullable=True)
    """The document it stands below; access does not follow from it."""
    title: str
    version: int = 1
    """Counts the changes of this row; the ETag is made of it."""
    org_access: int = Field(default=3, sa_type=SmallInteger, sa_column_kwargs=existing(3))
    """The level (`orgs.Level`) of the organization's members who are granted nothing else."""
    created_by: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id"), nullable=False))
    created_at: datetime = created()
    updated_at: datetime = created()
    trashed_at: datetime | None = timestamp(default=None, nullable=True)


class DocumentGrant(OrgOwned, table=True):
    """A level on a document for a member, a guest, a group, or whoever accepts an invitation."""

    __tablename__ = "document_grants"
    __table_args__ = (
        document_key(),
        ForeignKeyConstraint(["org_id", "user_id"], ["memberships.org_id", "memberships.user_id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["org_id", "group_id"], ["groups.org_id", "groups.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["org_id", "invitation_id"], ["invitations.org_id", "invitations.id"], ondelete="CASCADE"),
        UniqueConstraint("org_id", "user_id", "document_id"),
        UniqueConstraint("org_id", "group_id", "document_id"),
        UniqueConstraint("org_id", "invitation_id", "document_id"),
        Index("ix_document_grants_document", "org_id", "document_id"),
        CheckConstraint("num_nonnulls(user_id, group_id, invitation_id) = 1", name="one_grantee"),
        CheckConstraint("level BETWEEN 1 AND 4", name="level"),
    )

    id: UUID = key()
    document_id: UUID = reference()
    user_id: UUID | None = reference(nullable=True)
    group_id: UUID | None = reference(nullable=True)
    invitation_id: UUID | None = reference(nullable=True)
    level: int = Field(sa_type=SmallInteger)
    granted_by: UUID = reference()
    created_at: datetime = created()


class DocumentStream(OrgOwned, table=True):
    """The head of a document's journal. Its row lock is what makes `seq` gapless."""

    __tablename__ = "document_streams"
    __table_args__ = (document_key(), Index("ix_document_streams_document_id", "document_id"))

    document_id: UUID = reference(primary_key=True)
    seq: int = Field(default=0, sa_type=BigInteger)
    chain: bytes = binary(default=GENESIS)
    """sha256(previous chain ‖ payload) of the newest update."""
    bytes_total: int = Field(default=0, sa_type=BigInteger)
    closed: bool = False
    """Set while the document is in the trash: nothing can be appended."""
    snapshot_seq: int = Field(default=0, sa_type=BigInteger)
    snapshot_sha256: str | None = None
    """The newest verified snapshot: the state after `snapshot_seq`."""


class DocumentUpdate(OrgOwned, table=True):
    """One Yjs v1 update, as it came."""

    __tablename__ = "document_updates"
    __table_args__ = (document_key(),)

    document_id: UUID = reference(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    payload: bytes = binary()
    chain: bytes = binary()
    actor_id: UUID | None = reference(nullable=True)
    session_id: UUID | None = reference(nullable=True)
    origin: str = Field(sa_type=Text)
    created_at: datetime = created()


class DocumentSegment(OrgOwned, table=True):
    """A stretch of a journal that has moved into the object store.

    Its rows are gone from `document_updates`: they were deleted in the transaction that added this one, after the
    object had been read back. The application can only read this table.
    """

    __tablename__ = "document_segments"
    __table_args__ = (document_key(),)

    document_id: UUID = reference(primary_key=True)
    seq_from: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    seq_to: int = Field(sa_type=BigInteger)
    chain: bytes = binary()
    """The chain hash after `seq_to`."""
    authors: list[UUID] = Field(sa_type=ARRAY(Uuid))
    sha256: str
    """Of the uncompressed segment; also its name in the object store."""
    bytes_raw: int = Field(sa_type=BigInteger)
    bytes_stored: int = Field(sa_type=BigInteger)
    flow_run_id: UUID | None = reference(nullable=True)
    created_at: datetime = created()


class QuarantinedUpdate(OrgOwned, table=True):
    """An update that did not apply, kept for inspection and never part of the document."""

    __tablename__ = "quarantined_updates"
    __table_args__ = (
        document_key(),
        Index("ix_quarantined_updates_document", "org_id", "document_id", "created_at"),
    )

    id: UUID = key()
    document_id: UUID = reference()
    seq: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    """Its place in the journal, where it got that far; such rows are skipped when a document is read."""
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    error: str
    actor_id: UUID | None = reference(nullable=True)
    origin: str
    created_at: datetime = created()


class DocumentText(OrgOwned, table=True):
    """The words of a document, as of a seq: derived, for search and previews."""

    __tablename__ = "document_texts"
    __table_args__ = (
        document_key(),
        # A tsvector holds 1 MiB: of a longer text the beginning is searched.
        Index("ix_document_texts_words", text("to_tsvector('simple', left(text, 200000))"), **WORDS),
    )

    document_id: UUID = reference(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    text: str = Field(sa_type=Text)
    words: int = Field(sa_type=Integer)
    updated_at: datetime = created()
