"""Backups of the whole deployment: no tenant owns them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Float, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import created, key, reference, timestamp


class Backup(SQLModel, table=True):
    """One backup, successful or not."""

    __tablename__ = "backups"
    __table_args__ = (CheckConstraint("state IN ('running', 'succeeded', 'failed')", name="state"),)

    id: UUID = key()
    kind: str
    state: str = "running"
    object_key: str | None = None
    sha256: str | None = None
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
    flow_run_id: UUID | None = reference(nullable=True)
    started_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)


class Drill(SQLModel, table=True):
    """One attempt to restore everything, somewhere else, and what it showed."""

    __tablename__ = "drills"
    __table_args__ = (CheckConstraint("state IN ('running', 'good', 'bad', 'failed')", name="state"),)

    id: UUID = key()
    state: str = "running"
    """good; bad: something is damaged or missing; failed: it could not be carried out."""
    source: str | None = None
    """What it started from: the folder of a base backup, or a dump."""
    restored_to: datetime | None = timestamp(default=None, nullable=True)
    """When the newest transaction was committed that came back."""
    rpo_seconds: float | None = Field(default=None, sa_type=Float)
    """So much would have been lost with the disk, when the end of the archive was read: at most, since less may have
    been committed."""
    rto_seconds: float | None = Field(default=None, sa_type=Float)
    """From nothing to a database that answers."""
    documents: int = Field(default=0, sa_type=Integer)
    objects: int = Field(default=0, sa_type=Integer)
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """What is wrong: `{check, subject, detail}` each."""
    error: str | None = Field(default=None, sa_type=Text)
    flow_run_id: UUID | None = reference(nullable=True)
    started_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)


class Sweep(SQLModel, table=True):
    """One look for objects that nothing refers to."""

    __tablename__ = "sweeps"

    id: UUID = key()
    objects: int = Field(default=0, sa_type=Integer)
    """All there are in the bucket."""
    unreferenced: int = Field(default=0, sa_type=Integer)
    removed: int = Field(default=0, sa_type=Integer)
    bytes_removed: int = Field(default=0, sa_type=BigInteger)
    missing: int = Field(default=0, sa_type=Integer)
    """Referenced, and not there."""
    flow_run_id: UUID | None = reference(nullable=True)
    started_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)


class Unreferenced(SQLModel, table=True):
    """An object nothing refers to, and since when: it goes once no backup refers to it either."""

    __tablename__ = "unreferenced_objects"

    key: str = Field(primary_key=True)
    since: datetime = created()
