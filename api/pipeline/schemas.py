"""What steps of pipelines look like to clients."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.pipeline import Filter, PipelineRun

RunState = Literal["running", "succeeded", "failed", "set_aside"]


class RunRead(BaseModel):
    """One step that a flow run did for a document."""

    id: UUID
    document_id: UUID | None
    pipeline: str
    step: str
    state: RunState
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


class Wanted(BaseModel):
    """Which steps of an organization; what is left out does not matter."""

    model_config = ConfigDict(extra="forbid")

    state: RunState | None = None
    pipeline: str | None = Field(default=None, max_length=50)
    step: str | None = Field(default=None, max_length=50)
    document_id: UUID | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def filter(self) -> Filter:
        """As the domain asks for it."""
        return Filter(**self.model_dump())


class ReplayedRange(BaseModel):
    """The pipelines will work on so many documents and exports again."""

    subjects: int
    state: Literal["queued"] = "queued"
