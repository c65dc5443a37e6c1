"""Which digests were sent."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Column, Date, ForeignKey, Integer, Uuid
from sqlmodel import Field, SQLModel

from models.base import created


class Digest(SQLModel, table=True):
    """One person's digest of one day (UTC): there is one row, so there is one mail, whoever tries, however often."""

    __tablename__ = "digests"

    user_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    day: date = Field(sa_column=Column(Date, primary_key=True))
    notifications: int = Field(default=0, sa_type=Integer)
    created_at: datetime = created()
