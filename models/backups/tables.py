"""Backups of the whole deployment: no tenant owns them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Text
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
