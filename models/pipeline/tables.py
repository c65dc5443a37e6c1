"""The run ledger: what was done to which document, when, by which flow run, with which hashes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Text, Uuid
from sqlmodel import Field

from models.base import OrgOwned, created, key, reference, timestamp


class PipelineRun(OrgOwned, table=True):
    """One step of a pipeline for one document."""

    __tablename__ = "pipeline_runs"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'succeeded', 'failed')", name="state"),
        Index("ix_pipeline_runs_document", "org_id", "document_id", "id"),
        Index("ix_pipeline_runs_state", "org_id", "state", "id"),
    )

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    document_id: UUID | None = reference(nullable=True)
    pipeline: str
    """persist, export, …: the kind of flow."""
    step: str
    state: str = "running"
    attempts: int = 1
    subject_id: UUID | None = reference(nullable=True)
    """The revision, export, … that the step is about."""
    seq_from: int | None = Field(default=None, sa_type=BigInteger)
    seq_to: int | None = Field(default=None, sa_type=BigInteger)
    hash_in: str | None = None
    hash_out: str | None = None
    bytes_out: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
    flow_run_id: UUID | None = reference(nullable=True)
    started_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)
