"""What exports look like to clients."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.exports import Format


class ExportWrite(BaseModel):
    """What to export."""

    model_config = ConfigDict(extra="forbid")
    format: Format
    revision: int | None = Field(default=None, ge=1, le=2**31 - 1)


class ArchiveWrite(BaseModel):
    """How to export an organization: there is one way."""

    model_config = ConfigDict(extra="forbid")
    format: Literal["zip"] = "zip"


class ExportRead(BaseModel):
    """An export and how far it is."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    document_id: UUID | None
    """Null: every document of the organization that whoever asked may read."""
    format: Format | Literal["archive"]
    revision: int | None
    state: Literal["pending", "running", "succeeded", "failed"]
    done: int
    """Documents of an archive that are in it, of `total`."""
    total: int | None
    seq: int | None
    sha256: str | None
    bytes: int | None
    error: str | None
    flow_run_id: UUID | None
    created_at: datetime
    finished_at: datetime | None
    download_url: str | None = None
    """Good for a few minutes, without signing in."""
