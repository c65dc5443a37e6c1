"""Empty databases on the server of the tests, and what is in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import Engine

from infra.db import driver_url

RELEASED_ROWS: Final = Path(__file__).with_name("released.sql")


@contextmanager
def scratch_database(owner: str) -> Iterator[str]:
    """The URL of an empty database on the same server."""
    name = f"scratch_{uuid4().hex[:8]}"
    server = create_engine(driver_url(owner), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(owner).set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Every statement that this process executes meanwhile."""
    statements: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of every table, but alembic's."""
    found = inspect(connection)
    names = sorted(set(found.get_table_names()) - {"alembic_version"})
    return {name: [column["name"] for column in found.get_columns(name)] for name in names}


def rows(connection: Connection, tables: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """What is in these columns."""
    return {
        name: sorted((tuple(row) for row in connection.execute(text(f"SELECT {_list(some)} FROM {name}"))), key=repr)
        for name, some in tables.items()
    }


def write(connection: Connection) -> None:
    """The rows that the code of the last release writes, by its own statements."""
    lines = [line for line in RELEASED_ROWS.read_text().splitlines() if not line.startswith("--")]
    for statement in filter(str.strip, "\n".join(lines).split(";\n")):
        connection.exec_driver_sql(statement)


def rewrite(connection: Connection, tables: dict[str, list[str]]) -> None:
    """Update every column, as the code that knows these may."""
    for name, some in tables.items():
        changes = ", ".join(f'"{column}" = "{column}"' for column in some)
        connection.exec_driver_sql(f"UPDATE {name} SET {changes}")


def empty(connection: Connection, tables: dict[str, list[str]]) -> None:
    """Delete everything."""
    connection.exec_driver_sql(f"TRUNCATE {', '.join(tables)} CASCADE")


def _list(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
