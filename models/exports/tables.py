"""Exports: a document in another format or a whole organization, made by a flow and fetched later."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import OrgOwned, created, document_key, key, reference, timestamp


class Export(OrgOwned, table=True):
    """A wish for a document in a format or for an archive of the organization, and what became of it."""

    __tablename__ = "exports"
    __table_args__ = (
        document_key(),
        CheckConstraint("state IN ('pending', 'running', 'succeeded', 'failed')", name="state"),
        CheckConstraint("(document_id IS NULL) = (format = 'archive')", name="document"),
    )

    id: UUID = key()
    document_id: UUID | None = reference(nullable=True)
    """None: every document of the organization that whoever asks may read."""
    format: str
    revision: int | None = None
    """The number of the revision to export; None: the document as it is when the flow runs."""
    state: str = "pending"
    done: int = Field(default=0, sa_type=Integer)
    """Documents of an archive that are in it."""
    total: int | None = Field(default=None, sa_type=Integer)
    upload_id: str | None = Field(default=None, sa_type=Text)
    """The multipart upload of an archive while it goes on."""
    seq: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = None
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
    requested_by: UUID = reference()
    flow_run_id: UUID | None = reference(nullable=True)
    created_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)


class ExportPart(OrgOwned, table=True):
    """A part of an archive that is in the object store: from here it goes on after a crash."""

    __tablename__ = "export_parts"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "export_id"], ["exports.org_id", "exports.id"], ondelete="CASCADE"),
    )

    export_id: UUID = reference(primary_key=True)
    number: int = Field(sa_type=Integer, primary_key=True)
    etag: str
    bytes: int = Field(sa_type=BigInteger)
    last_document: UUID | None = reference(nullable=True)
    """The last document whose files end in this part; None: one goes on in the next part."""
    entries: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """The files that end in this part, as the archive's directory and manifest list them."""
