"""What revisions look like to clients."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.revisions import Attribution, Comparison, Revision


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


class Operation(BaseModel):
    """A stretch of a plain text that stayed, came or went."""

    op: Literal["equal", "insert", "delete"]
    text: str


class Difference(BaseModel):
    """What changed between two moments of a document."""

    seq_from: int
    seq_to: int
    content: dict[str, Any]
    """ProseMirror JSON of both. The last mark of a text or node says what became of it: `insertion` and
    `deletion` (their attribute `move` is the same number where a block went and came), or `modification`
    (its attribute `before` holds the node's old attributes)."""
    texts: dict[str, list[Operation]]
    """The plain texts by the name of their root."""

    @classmethod
    def of(cls, found: Comparison) -> "Difference":
        """From a comparison."""
        return cls.model_validate(
            {
                "seq_from": found.seq_from,
                "seq_to": found.seq_to,
                "content": found.content,
                "texts": found.operations,
            }
        )


class Author(BaseModel):
    """Somebody who wrote some of it; null: nobody knows who."""

    user_id: UUID | None
    characters: int


class Written(BaseModel):
    """A stretch of a plain text and who wrote it."""

    text: str
    user_id: UUID | None


class Authorship(BaseModel):
    """Who wrote each part of a document that is still there."""

    seq: int
    authors: list[Author]
    """Who wrote most comes first."""
    content: dict[str, Any]
    """ProseMirror JSON; the last mark of each text is `author` with the attribute `user_id`."""
    texts: dict[str, list[Written]]
    """The plain texts by the name of their root."""

    @classmethod
    def of(cls, found: Attribution) -> "Authorship":
        """From what was found."""
        return cls(
            seq=found.seq,
            authors=[Author(user_id=author, characters=count) for author, count in found.characters.most_common()],
            content=found.content,
            texts={
                name: [Written(text=text, user_id=author) for text, author in parts]
                for name, parts in found.texts.items()
            },
        )


class UndoWrite(BaseModel):
    """Whose edits to take back, and since when: after a seq, or after a revision."""

    model_config = ConfigDict(extra="forbid")
    user_id: UUID
    since_seq: int | None = Field(default=None, ge=0, le=2**62)
    revision: int | None = Field(default=None, ge=1, le=2**31 - 1)

    @model_validator(mode="after")
    def _one_of_them(self) -> "UndoWrite":
        if (self.since_seq is None) == (self.revision is None):
            raise ValueError("give either since_seq or revision")
        return self


class Undone(BaseModel):
    """The edit that took somebody's edits back."""

    seq: int
    user_id: UUID


class RetentionWrite(BaseModel):
    """How long automatic revisions are kept, in days from now; see `RetentionRead`."""

    model_config = ConfigDict(extra="forbid")
    all_days: int = Field(ge=0, le=36_500)
    hourly_days: int = Field(ge=0, le=36_500)
    daily_days: int = Field(ge=0, le=36_500)

    @model_validator(mode="after")
    def _in_order(self) -> "RetentionWrite":
        if not self.all_days <= self.hourly_days <= self.daily_days:
            raise ValueError("all_days <= hourly_days <= daily_days")
        return self


class RetentionRead(BaseModel):
    """All revisions for `all_days`, one an hour for `hourly_days`, one a day for `daily_days`, then one a week.

    Where all are null, every revision is kept. Named revisions, restorations and the newest always are.
    """

    model_config = ConfigDict(from_attributes=True)
    all_days: int | None = None
    hourly_days: int | None = None
    daily_days: int | None = None
    updated_by: UUID | None = None
    updated_at: datetime | None = None
