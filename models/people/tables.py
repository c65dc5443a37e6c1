"""Exports of personal data, and what remains to be said of people who were forgotten."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import created, key, reference, timestamp


class PersonalExport(SQLModel, table=True):
    """Somebody's wish for everything that is known about them, and what became of it."""

    __tablename__ = "personal_exports"
    __table_args__ = (CheckConstraint("state IN ('pending', 'succeeded', 'failed', 'expired')", name="state"),)

    id: UUID = key()
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    state: str = "pending"
    sha256: str | None = None
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
    flow_run_id: UUID | None = reference(nullable=True)
    created_at: datetime = created()
    finished_at: datetime | None = timestamp(default=None, nullable=True)
    expires_at: datetime | None = timestamp(default=None, nullable=True)


class Erasure(SQLModel, table=True):
    """An account that was erased: how much was deleted, made anonymous, and kept under a pseudonym."""

    __tablename__ = "erasures"

    user_id: UUID = reference(primary_key=True)
    report: dict[str, Any] = Field(sa_type=JSONB)
    flow_run_id: UUID | None = reference(nullable=True)
    erased_at: datetime = created()
