"""Backups of the whole deployment, which no tenant owns, and of single organizations, which are theirs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, ForeignKey, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import OrgOwned, created, key, reference, timestamp


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


class OrganizationBackup(OrgOwned, table=True):
    """A backup of one organization: all it owns, as of one moment, in an object of its own.

    What a backup is, its manifest beside that object says; this row is how people of the organization find it, and is
    not in the backup.
    """

    __tablename__ = "organization_backups"
    __table_args__ = (
        CheckConstraint("kind IN ('scheduled', 'requested', 'operator')", name="kind"),
        CheckConstraint("state IN ('pending', 'running', 'succeeded', 'incomplete', 'failed')", name="state"),
    )

    org_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True))
    id: UUID = key()
    kind: str
    state: str = "pending"
    """incomplete: some object that its rows refer to is missing in the store; all else is there."""
    object_key: str | None = None
    sha256: str | None = None
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    rows: int | None = Field(default=None, sa_type=BigInteger)
    documents: int | None = Field(default=None, sa_type=Integer)
    objects: int | None = Field(default=None, sa_type=Integer)
    """Snapshots, segments and exports that its rows refer to: they stay in the store for as long as it is kept."""
    missing: int = Field(default=0, sa_type=Integer)
    taken_at: datetime | None = timestamp(default=None, nullable=True)
    """The moment it is of: what was committed until then is in it, and nothing else."""
    error: str | None = Field(default=None, sa_type=Text)
    requested_by: UUID | None = reference(nullable=True)
    flow_run_id: UUID | None = reference(nullable=True)
    created_at: datetime = created()
    started_at: datetime | None = timestamp(default=None, nullable=True)
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
