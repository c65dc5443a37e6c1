"""What revisions look like to clients."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from models.revisions import Revision


class RevisionWrite(BaseModel):
    """A name for the document as it is now."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class RevisionRead(BaseModel):
    """A moment of a document."""

    id: UUID
    document_id: UUID
    number: int
    kind: Literal["automatic", "named", "restore"]
    name: str | None
    seq_from: int
    seq_to: int
    authors: list[UUID]
    sha256: str | None
    """Of the snapshot, uncompressed; null until it is stored."""
    chain: str
    """The journal's chain hash after `seq_to`, hexadecimal."""
    state: Literal["pending", "stored", "derived", "failed"]
    bytes_raw: int | None
    bytes_stored: int | None
    flow_run_id: UUID | None
    created_by: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, revision: Revision) -> "RevisionRead":
        """From a row."""
        return cls.model_validate(revision.model_dump() | {"chain": revision.chain.hex()})


class Revisions(BaseModel):
    """A page of them, newest first."""

    items: list[RevisionRead]
    next_cursor: str | None


class Restored(BaseModel):
    """The edit that brought a revision back."""

    seq: int
    restored: int
    """The number of the revision."""
