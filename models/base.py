"""What every table shares: column types, names of constraints, and which tables belong to a tenant."""

from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, LargeBinary, MetaData, Uuid, text
from sqlmodel import Field, SQLModel

from infra import clock

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def key(**options: Any) -> Any:
    """A UUIDv7 that is (part of) the primary key."""
    return Field(default_factory=clock.new_id, sa_type=Uuid, primary_key=True, **options)


def reference(**options: Any) -> Any:
    """A UUID of some other row; the constraint is in `__table_args__`."""
    return Field(sa_type=Uuid, **_optional(options))


def timestamp(**options: Any) -> Any:
    """A point in time with its zone."""
    return Field(sa_type=DateTime(timezone=True), **_optional(options))


def created() -> Any:
    """The time the row was made."""
    return Field(default_factory=clock.now, sa_type=DateTime(timezone=True), nullable=False)


def binary(**options: Any) -> Any:
    """Raw bytes."""
    return Field(sa_type=LargeBinary, **_optional(options))


def existing(value: object) -> dict[str, Any]:
    """The `sa_column_kwargs` of a column that was added later: what rows have that were there already, as SQL."""
    return {"server_default": text(str(value))}


def document_key() -> ForeignKeyConstraint:
    """That a row belongs to a document of its organization, and goes with it."""
    return ForeignKeyConstraint(["org_id", "document_id"], ["documents.org_id", "documents.id"], ondelete="CASCADE")


def _optional(options: dict[str, Any]) -> dict[str, Any]:
    """What may be NULL is NULL unless it is given."""
    return {"default": None, **options} if options.get("nullable") else options


class OrgOwned(SQLModel):
    """A row of one organization: row-level security shows it to that organization only.

    Keys and foreign keys contain `org_id`, since a constraint on less would tell one tenant what
    another one has.
    """

    org_id: UUID = Field(sa_type=Uuid, primary_key=True)
