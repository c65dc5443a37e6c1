"""Mails and what became of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Text
from sqlmodel import Field, SQLModel

from models.base import binary, created, key, reference, timestamp


class Mail(SQLModel, table=True):
    """A mail to one address. Not owned by any organization."""

    __tablename__ = "mails"
    __table_args__ = (CheckConstraint("state IN ('queued', 'sent', 'failed')", name="state"),)

    id: UUID = key()
    recipient: str
    template: str
    state: str = "queued"
    attempts: int = 0
    sealed: bytes | None = binary(default=None, nullable=True)
    """Subject and text, encrypted, for as long as they are needed: they may hold a link that is a secret."""
    error: str | None = Field(default=None, sa_type=Text)
    flow_run_id: UUID | None = reference(nullable=True)
    created_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)
