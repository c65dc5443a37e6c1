"""What backups of an organization look like to clients."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class OrgBackupRead(BaseModel):
    """A backup of the organization, and what became of it."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    kind: Literal["scheduled", "requested", "operator"]
    state: Literal["pending", "running", "succeeded", "incomplete", "failed"]
    """incomplete: some object that it refers to is missing in the store."""
    taken_at: datetime | None
    """What was saved until then is in it."""
    rows: int | None
    documents: int | None
    objects: int | None
    """Snapshots, archived journal and exports that it keeps from being removed."""
    missing: int
    bytes: int | None
    sha256: str | None
    error: str | None
    requested_by: UUID | None
    created_at: datetime
    finished_at: datetime | None
    flow_run_id: UUID | None


class OrgBackups(BaseModel):
    """A page of them, newest first."""

    items: list[OrgBackupRead]
    next_cursor: str | None
