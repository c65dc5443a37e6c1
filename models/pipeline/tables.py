"""The run ledger: what was done to which document, when, by which flow run, with which hashes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, ForeignKey, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from infra import clock
from models.base import OrgOwned, created, existing, key, reference, timestamp


class PipelineRun(OrgOwned, table=True):
    """One step of a pipeline for one document."""

    __tablename__ = "pipeline_runs"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'succeeded', 'failed', 'set_aside')", name="state"),
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


class Installation(SQLModel, table=True):
    """The one row that names this deployment of Doxie, so that two on one Prefect tell their runs apart."""

    __tablename__ = "installation"

    id: UUID = key()
    created_at: datetime = timestamp(default_factory=clock.now, nullable=False, sa_column_kwargs=existing("now()"))


class RunLease(SQLModel, table=True):
    """A scheduled flow run that is going on: its process prolongs the lease until it ends or dies."""

    __tablename__ = "run_leases"

    flow_run_id: UUID = reference(primary_key=True)
    name: str
    leased_until: datetime = timestamp()


class UnrecordedRun(SQLModel, table=True):
    """A flow run that was done while Prefect was away, and that Prefect is still to hear of."""

    __tablename__ = "unrecorded_runs"

    id: UUID = key()
    flow: str
    name: str
    tags: list[str] = Field(sa_type=ARRAY(Text))
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    org_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    subject_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    state: str
    """COMPLETED or FAILED."""
    message: str = Field(sa_type=Text)
    started_at: datetime = timestamp()
    finished_at: datetime = timestamp()
