"""Exports: a document in another format, made by a flow and fetched later."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Text
from sqlmodel import Field

from models.base import OrgOwned, created, key, reference, timestamp


class Export(OrgOwned, table=True):
    """A wish for a document in a format, and what became of it."""

    __tablename__ = "exports"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "document_id"], ["documents.org_id", "documents.id"], ondelete="CASCADE"),
        CheckConstraint("state IN ('pending', 'running', 'succeeded', 'failed')", name="state"),
    )

    id: UUID = key()
    document_id: UUID = reference()
    format: str
    revision: int | None = None
    """The number of the revision to export; None: the document as it is when the flow runs."""
    state: str = "pending"
    seq: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = None
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
    requested_by: UUID = reference()
    flow_run_id: UUID | None = reference(nullable=True)
    created_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)
