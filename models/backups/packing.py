"""The rows of one organization as one file: written from one moment of the database, read back row by row.

The first line says what it is; each other line is the name of a table, a tab, and a row as JSON, as Postgres itself
writes and reads it. The file is one zstd stream. Its manifest says how many rows of each table there are, with which
columns, and the SHA-256 of each table's lines: the same rows give the same lines, so what is restored can be compared.
"""

import hashlib
import io
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import zstandard
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from models.backups.tables import OrganizationBackup
from models.base import OrgOwned, metadata

FORMAT = "doxie organization backup 2"
LEVEL = 9
ROWS_AT_ONCE = 64
"""A row may hold an update of a megabyte, which is twice that as JSON."""
LOAD_BYTES = 8 * 1024 * 1024
"""Rows go back into a database in statements of about this size."""

_NAME = re.compile("[a-z][a-z0-9_]{0,62}")
_MOMENT = text("SELECT now()")
_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
_PROTECTED = text("""
    SELECT relname FROM pg_class WHERE relrowsecurity AND relkind = 'r' AND relnamespace = 'public'::regnamespace
""")
_WRITTEN = (
    text("SET LOCAL timezone = 'UTC'"),
    text("SET LOCAL bytea_output = 'hex'"),
    text("SET LOCAL extra_float_digits = 1"),
)


class BackupDamaged(RuntimeError):
    """A backup of an organization is not what was stored."""


@dataclass(slots=True)
class Packed:
    """What one table contributes."""

    columns: list[str]
    key: list[str]
    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, line: bytes) -> None:
        """One more row."""
        self.rows += 1
        self.digest.update(line)

    def as_json(self) -> dict[str, Any]:
        """As the manifest says it."""
        return {"columns": self.columns, "key": self.key, "rows": self.rows, "sha256": self.digest.hexdigest()}


def tables() -> list[Table]:
    """What an organization consists of, each table after those it refers to; the ledger of its backups is not part."""
    owned = {str(mapper.__tablename__) for mapper in OrgOwned.__subclasses__()}
    owned = (owned - {str(OrganizationBackup.__tablename__)}) | {"organizations"}
    return [table for table in metadata.sorted_tables if table.name in owned]


async def freeze(session: AsyncSession) -> datetime:
    """Let the rest of a transaction see one moment, whatever is written meanwhile; which. Comes first in it."""
    await session.execute(_SNAPSHOT)
    for statement in _WRITTEN:
        await session.execute(statement)
    moment: datetime = (await session.execute(_MOMENT)).scalar_one()
    return moment


async def pack(session: AsyncSession, org_id: UUID, path: Path, head: Mapping[str, Any]) -> dict[str, Any]:
    """Write the rows of an organization into a file; what its manifest says of them.

    The session is scoped to the organization, so that row-level security keeps all others out, and frozen.
    """
    await _require_all(session)
    packed: dict[str, Packed] = {}
    whole = hashlib.sha256()
    size = 0
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    with path.open("wb") as file, compressor.stream_writer(file) as out:
        first = json.dumps({"format": FORMAT, **head}).encode() + b"\n"
        whole.update(first)
        out.write(first)
        size += len(first)
        for table in tables():
            key = [column.name for column in table.primary_key]
            found = packed[table.name] = Packed([column.name for column in table.columns], key)
            async for line in _lines(session, table.name, found, org_id):
                found.add(line)
                whole.update(line)
                out.write(line)
                size += len(line)
    return {
        "tables": {name: found.as_json() for name, found in packed.items()},
        "raw_sha256": whole.hexdigest(),
        "raw_bytes": size,
    }


async def _require_all(session: AsyncSession) -> None:
    """That no table of the database is forgotten, because nobody has imported it."""
    there = set(await session.scalars(_PROTECTED)) - {str(OrganizationBackup.__tablename__)}
    if forgotten := there - {table.name for table in tables()}:
        raise RuntimeError(f"these tables would not be in the backup: {', '.join(sorted(forgotten))}")


async def load(session: AsyncSession, path: Path, manifest: Mapping[str, Any]) -> None:
    """Put the rows of a packed file into an empty database of its schema, and see that they are what was packed.

    The role may switch constraints off: all rows are of one moment, in which they held. Accounts are not among them.

    Raises:
        BackupDamaged: they are not.
    """
    await session.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in _WRITTEN:
        await session.execute(statement)
    waiting: list[bytes] = []
    name, size = "", 0
    for table, line in lines(path, manifest):
        if table != name or size > LOAD_BYTES:
            await _insert(session, name, waiting, manifest)
            name, waiting, size = table, [], 0
        waiting.append(line[len(table) + 1 : -1])
        size += len(line)
    await _insert(session, name, waiting, manifest)
    for name, about in manifest["tables"].items():
        found = Packed(about["columns"], about["key"])
        async for line in _lines(session, name, found, UUID(manifest["org_id"])):
            found.add(line)
        if found.as_json() != about:
            raise BackupDamaged(f"{name}: {found.rows} rows came back, and not those {about['rows']} that were packed")


async def _insert(session: AsyncSession, name: str, rows: Sequence[bytes], manifest: Mapping[str, Any]) -> None:
    if not rows:
        return
    chosen = ", ".join(f'"{column}"' for column in manifest["tables"][name]["columns"])
    statement = text(f"""
        INSERT INTO "{name}" ({chosen})
        SELECT {chosen} FROM json_populate_recordset(NULL::"{name}", CAST(:rows AS json))
    """)  # noqa: S608 - names that `require_names` has seen
    await session.execute(statement, {"rows": "[" + ",".join(row.decode() for row in rows) + "]"})


def require_names(manifest: Mapping[str, Any]) -> None:
    """That what a manifest calls tables and columns are names, since they become part of statements.

    Raises:
        BackupDamaged: they are not.
    """
    for name, about in manifest["tables"].items():
        for each in (name, *about["columns"], *about["key"]):
            if not _NAME.fullmatch(each):
                raise BackupDamaged(f"{each!r} is no name of a table or column")


async def _lines(session: AsyncSession, name: str, packed: Packed, org_id: UUID) -> AsyncIterator[bytes]:
    """The rows of an organization in a table, in the order of their keys."""
    own = "id" if name == "organizations" else "org_id"
    chosen = ", ".join(f'"{column}"' for column in packed.columns)
    order = ", ".join(f'"{column}"' for column in packed.key)
    inner = f'SELECT {chosen} FROM "{name}" WHERE {own} = :org_id ORDER BY {order}'  # noqa: S608 - names of ours
    query = text(f"SELECT row_to_json(row)::text FROM ({inner}) AS row")  # noqa: S608
    streamed = query.execution_options(stream_results=True, max_row_buffer=ROWS_AT_ONCE)
    prefix = name.encode() + b"\t"
    result = await session.stream(streamed, {"org_id": org_id})
    async for row in result.scalars():
        yield prefix + str(row).encode() + b"\n"


def check(path: Path, manifest: Mapping[str, Any]) -> None:
    """Read a packed file from beginning to end, and hold it against its manifest.

    Raises:
        BackupDamaged: it is another one, or not whole.
    """
    found = {name: Packed(about["columns"], about["key"]) for name, about in manifest["tables"].items()}
    for name, line in lines(path, manifest):
        if name not in found:
            raise BackupDamaged(f"it holds rows of {name}, of which its manifest says nothing")
        found[name].add(line)
    for name, about in manifest["tables"].items():
        if found[name].as_json() != about:
            raise BackupDamaged(f"{name}: {found[name].rows} rows, not the {about['rows']} of its manifest")


def lines(path: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The rows in a packed file, each with the name of its table, as a whole line.

    Raises:
        BackupDamaged: it cannot be read, or is not the one of the manifest; said at the end at the latest.
    """
    whole, size, position = hashlib.sha256(), 0, 0
    try:
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as reader,
            io.BufferedReader(reader) as buffered,
        ):
            for position, line in enumerate(buffered):
                whole.update(line)
                size += len(line)
                if size > manifest["raw_bytes"]:
                    raise BackupDamaged("it is longer than its manifest says")
                if position == 0:
                    _check_head(line, manifest)
                    continue
                name, _, _ = line.partition(b"\t")
                yield name.decode(), line
    except (zstandard.ZstdError, ValueError) as error:
        raise BackupDamaged(f"it cannot be read after line {position}: {error}") from error
    if (whole.hexdigest(), size) != (manifest["raw_sha256"], manifest["raw_bytes"]):
        raise BackupDamaged("its content is another one than its manifest says")


def _check_head(line: bytes, manifest: Mapping[str, Any]) -> None:
    head = json.loads(line)
    if head.get("format") != FORMAT:
        raise BackupDamaged(f"its format is {head.get('format')!r}, not {FORMAT!r}")
    if (head.get("org_id"), head.get("backup_id")) != (manifest["org_id"], manifest["backup_id"]):
        raise BackupDamaged("it is the backup of another organization or moment")
