"""What imports look like to clients."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from models.imports import Import, ImportItem, Kind


class ImportItemRead(BaseModel):
    """What became of one thing."""

    model_config = ConfigDict(from_attributes=True)
    path: str
    state: Literal["imported", "failed"]
    document_id: UUID | None
    error: str | None
    notes: list[str]
    """What could not be taken over."""


class ImportRead(BaseModel):
    """An import and how far it is."""

    id: UUID
    org_id: UUID
    file_name: str
    kind: Kind
    sha256: str
    bytes: int
    state: Literal["pending", "running", "succeeded", "failed"]
    """It has succeeded if anything became a document."""
    done: int
    total: int | None
    error: str | None
    items: list[ImportItemRead]
    flow_run_id: UUID | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, wish: Import, items: list[ImportItem]) -> "ImportRead":
        """From rows."""
        report = [ImportItemRead.model_validate(item) for item in items]
        return cls(items=report, **wish.model_dump(exclude={"requested_by"}))
