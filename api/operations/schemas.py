"""What backups and drills look like to operators."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class BackupRead(BaseModel):
    """One backup, successful or not."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    kind: str
    state: str
    object_key: str | None
    sha256: str | None
    bytes: int | None
    error: str | None
    flow_run_id: UUID | None
    started_at: datetime
    finished_at: datetime | None


class Backups(BaseModel):
    """The newest ones."""

    items: list[BackupRead]


class DrillRead(BaseModel):
    """One attempt to restore everything somewhere else."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    state: str
    rpo_seconds: float | None
    """So much would have been lost with the disk, at the moment the drill began."""
    rto_seconds: float | None
    """From nothing to a database that answers."""
    documents: int
    objects: int
    findings: list[dict[str, Any]]
    error: str | None
    flow_run_id: UUID | None
    started_at: datetime
    finished_at: datetime | None


class Drills(BaseModel):
    """The newest ones."""

    items: list[DrillRead]
