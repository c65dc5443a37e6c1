"""What steps of pipelines look like to clients."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from models.pipeline import PipelineRun


class RunRead(BaseModel):
    """One step that a flow run did for a document."""

    id: UUID
    document_id: UUID | None
    pipeline: str
    step: str
    state: Literal["running", "succeeded", "failed"]
    attempts: int
    subject_id: UUID | None
    seq_from: int | None
    seq_to: int | None
    hash_in: str | None
    hash_out: str | None
    bytes_out: int | None
    error: str | None
    started_at: datetime
    finished_at: datetime | None
    flow_run_id: UUID | None
    flow_run_url: str | None
    """The run in the Prefect dashboard."""

    @classmethod
    def of(cls, run: PipelineRun, dashboard: str) -> "RunRead":
        """From a row and the address of the dashboard."""
        url = f"{dashboard}/runs/flow-run/{run.flow_run_id}" if run.flow_run_id else None
        return cls.model_validate(run.model_dump() | {"flow_run_url": url})


class Runs(BaseModel):
    """A page of them, newest first."""

    items: list[RunRead]
    next_cursor: str | None


class Replayed(BaseModel):
    """The pipeline will work on it again."""

    run_id: UUID
    state: Literal["queued"] = "queued"
