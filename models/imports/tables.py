"""Imports: a file that becomes documents, and what became of each thing in it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.base import OrgOwned, created, key, reference, timestamp


class Import(OrgOwned, table=True):
    """A file somebody wants to have as documents."""

    __tablename__ = "imports"
    __table_args__ = (CheckConstraint("state IN ('pending', 'running', 'succeeded', 'failed')", name="state"),)

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    file_name: str
    kind: str
    """markdown, html, docx or zip."""
    sha256: str
    """Of the file, which is in the object store by this name."""
    bytes: int = Field(sa_type=BigInteger)
    state: str = "pending"
    done: int = Field(default=0, sa_type=Integer)
    total: int | None = Field(default=None, sa_type=Integer)
    error: str | None = Field(default=None, sa_type=Text)
    requested_by: UUID = reference()
    flow_run_id: UUID | None = reference(nullable=True)
    created_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)


class ImportItem(OrgOwned, table=True):
    """What became of one thing in an import. Written with the document it became, so both happen once."""

    __tablename__ = "import_items"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "import_id"], ["imports.org_id", "imports.id"], ondelete="CASCADE"),
        CheckConstraint("state IN ('imported', 'failed')", name="state"),
    )

    import_id: UUID = reference(primary_key=True)
    position: int = Field(sa_type=Integer, primary_key=True)
    path: str = Field(sa_type=Text)
    """Its name in the file."""
    state: str
    document_id: UUID | None = reference(nullable=True)
    error: str | None = Field(default=None, sa_type=Text)
    notes: list[str] = Field(default_factory=list, sa_type=JSONB)
    """What could not be taken over."""
