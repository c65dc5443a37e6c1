"""Statements on the driver itself, for the few that run thousands of times a second.

A session costs several times what the driver does. What is hot is a statement made once, with parameters, so that it
runs on either: on a session within somebody's transaction, or on a `Direct` in one of its own (`Database.direct`).
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Protocol
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Select, TextClause
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.exc import DBAPIError

Statement = TextClause | Select[Any]


class Executes(Protocol):
    """A session, or a `Direct`."""

    async def execute(self, statement: Statement, params: Mapping[str, Any] | None = None, /) -> Iterable[Any]:
        """The rows a statement gives, with their columns as attributes."""


class Direct:
    """A transaction on a connection of the driver. Values go to it as they are: JSON as a string."""

    __slots__ = ("_cursor",)

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._cursor = connection.cursor(row_factory=namedtuple_row)

    async def execute(self, statement: Statement, params: Mapping[str, Any] | None = None, /) -> list[Any]:
        """The rows a statement gives.

        Raises:
            DBAPIError: one of SQLAlchemy's, as a session would raise.
        """
        query, constants = _compiled(statement)
        try:
            cursor = await self._cursor.execute(query, {**constants, **(params or {})} if constants else params)
            return await cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise _translated(error, query) from error

    async def run(self, command: str) -> None:
        """Execute several commands at once, none with parameters."""
        try:
            await self._cursor.execute(command.encode(), prepare=False)
        except psycopg.Error as error:
            raise _translated(error, command) from error


def _translated(error: psycopg.Error, statement: str) -> Exception:
    """What SQLAlchemy would raise for it."""
    found = DBAPIError.instance(statement, None, error, psycopg.Error, hide_parameters=True)
    assert isinstance(found, Exception)
    return found


def int_array(numbers: Iterable[int]) -> str:
    """A literal, to be cast: the driver handles each value by itself, which takes many times as long."""
    return f"{{{repr(list(numbers))[1:-1]}}}"


def uuid_array(ids: Iterable[UUID | None]) -> str:
    """The same of ids."""
    return f"{{{','.join(['NULL' if known is None else known.hex for known in ids])}}}"


@cache
def _compiled(statement: Statement) -> tuple[str, dict[str, Any]]:
    """As the driver wants it, and the values that stand in the statement itself."""
    compiled = statement.compile(dialect=dialect())  # type: ignore[no-untyped-call]
    return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}
