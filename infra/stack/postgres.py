"""The embedded Postgres 18: its cluster, its configuration, the databases in it."""

import os
import shutil
import signal
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString
from urllib.parse import urlsplit, urlunsplit

from infra.stack import account, binaries, orphans, probes
from infra.stack.errors import StackError
from infra.stack.files import write_private
from infra.stack.logs import gist
from infra.stack.plan import DATABASE, DATABASE_URL, OWNER, WAL_SECONDS, Plan, module, plain_postgres
from infra.stack.ports import LOOPBACK
from infra.stack.process import REPOSITORY, Account, ending, run
from infra.stack.service import Service

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import TupleRow

MAJOR = "18"
PREFECT = "prefect"

# No socket file: its path would have to fit into 107 bytes, wherever the home lies.
_CONFIGURATION = """\
# Written at every start. Set your own with ALTER SYSTEM: that wins over this file.
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 200
tcp_keepalives_idle = 5
tcp_keepalives_interval = 5
tcp_keepalives_count = 3
tcp_user_timeout = 20s
shared_buffers = 128MB
password_encryption = scram-sha-256
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
min_wal_size = 80MB
max_wal_size = 1GB
shared_preload_libraries = 'pg_stat_statements'
log_line_prefix = '%m [%p] %q%u@%d '
log_timezone = 'UTC'
archive_mode = {archiving}
archive_command = '{command}'
archive_timeout = {seconds}
"""
INITDB = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")


def service(plan: Plan) -> Service:
    """Postgres, with the databases `doxie` and `prefect`."""
    data = plan.home.data("postgres")
    url = plan.settings[DATABASE_URL]
    runs_as = account.for_postgres(binaries.postgres("postgres"))
    return Service(
        name="postgres",
        command=(str(binaries.postgres("postgres")), "-D", str(data)),
        environment=environment() | archive_environment(plan),
        port=plan.ports["postgres"],
        url=url,
        probe=probes.postgres(maintenance_url(url)),
        prepare=lambda: _prepare(plan, data, runs_as),
        settle=lambda: make_databases(
            maintenance_url(url),
            {DATABASE: OWNER, PREFECT: PREFECT},
            {PREFECT: plan.secrets["DOXIE_PREFECT_DB_PASSWORD"]},
        ),
        account=runs_as,
        stop_signal=signal.SIGINT,  # ends sessions instead of waiting for them
        outlasted_by=("s3",),  # what it has written last is archived while it stops
        stop_seconds=30,
        death_signal=signal.SIGQUIT,  # takes the backends along at once; the next start recovers
        # One that is in the middle of something does not notice for long that the postmaster is gone.
        unmarked=partial(orphans.running, binaries.postgres("postgres").resolve(), data.resolve()),
    )


def environment() -> dict[str, str]:
    """Only what it needs: a PGPORT or PGDATA of the operator's must not reach it."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"}


def archive_environment(plan: Plan) -> dict[str, str]:
    """What the program that archives the log has to know; Postgres passes it on."""
    known = {**plan.environ, **plan.settings}
    names = ("ENDPOINT", "REGION", "ACCESS_KEY", "SECRET_KEY", "BACKUP_BUCKET")
    given = {name: known[name] for name in (f"DOXIE_S3_{name}" for name in names) if known.get(name)}
    return {"PYTHONPATH": str(REPOSITORY), **given}


def wal_command(verb: str, *arguments: str) -> str:
    """The command by which Postgres calls `infra.recovery.wal`."""
    return " ".join(f'"{word}"' for word in (*module("infra.recovery.wal"), verb, *arguments))


def maintenance_url(url: str) -> str:
    """The same server's database that always exists."""
    return urlunsplit(urlsplit(plain_postgres(url))._replace(path="/postgres"))


async def _prepare(plan: Plan, data: Path, runs_as: Account) -> None:
    account.hand_over(plan.home, data, runs_as)
    if not (data / "PG_VERSION").exists():
        await _make_cluster(plan, data, runs_as)
    version = (data / "PG_VERSION").read_text().strip()
    if version != MAJOR:
        raise StackError(f"{data} is a cluster of Postgres {version}, not {MAJOR}: move it with pg_dump")
    _forget_dead_postmaster(data)
    _configure(plan, data, runs_as)


async def _make_cluster(plan: Plan, data: Path, runs_as: Account) -> None:
    """Made aside and renamed when it is whole: an initdb that is cut short leaves nothing behind."""
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password = plan.home.root / ".postgres-password"
    write_private(password, plan.secrets["DOXIE_POSTGRES_PASSWORD"])
    for path in (draft, password):
        account.hand_over(plan.home, path, runs_as)
    initdb = str(binaries.postgres("initdb"))
    command = (initdb, "-D", str(draft), "-U", OWNER, f"--pwfile={password}", "--auth=scram-sha-256", *INITDB)
    log = plan.home.log("postgres")
    try:
        returncode = await run(command, environment=environment(), log=log, seconds=120, account=runs_as)
        if returncode != 0:
            raise StackError(f"initdb {ending(returncode)}: {gist(log)} (see {log})")
    finally:
        password.unlink()
    with (draft / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude = 'doxie.conf'\n")
    draft.rename(data)


def _configure(plan: Plan, data: Path, runs_as: Account) -> None:
    file = data / "doxie.conf"
    seconds = int(float(plan.settings[WAL_SECONDS]))
    text = _CONFIGURATION.format(
        host=LOOPBACK,
        port=plan.ports["postgres"],
        archiving="on" if seconds else "off",
        command=wal_command("archive", "%p", "%f").replace("'", "''"),
        seconds=seconds,
    )
    write_private(file, text)
    if runs_as.uid >= 0:
        os.chown(file, runs_as.uid, runs_as.uid)


def _forget_dead_postmaster(data: Path) -> None:
    """Remove the pid file of a killed server when its number now belongs to another program.

    Postgres itself only looks whether such a process exists, and then refuses to start.
    """
    file = data / "postmaster.pid"
    if not file.exists():
        return
    pid = file.read_text().partition("\n")[0].strip()
    try:
        running = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        running = []
    if str(data).encode() not in running:
        file.unlink()


async def make_databases(url: str, owners: Mapping[str, str], passwords: Mapping[str, str]) -> None:
    """Create the databases and login roles that are missing: database to owner, role to password.

    Raises:
        StackError: Postgres refuses.
    """
    import psycopg
    from psycopg.sql import SQL, Identifier

    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            roles = await _names(connection, "SELECT rolname FROM pg_roles")
            databases = await _names(connection, "SELECT datname FROM pg_database")
            for role in passwords.keys() - roles:
                query = SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(role), passwords[role])
                await connection.execute(query)
            for name in owners.keys() - databases:
                query = SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(owners[name]))
                await connection.execute(query)
    except psycopg.Error as error:
        raise StackError(f"cannot create the databases {', '.join(owners)}: {error}") from error


async def _names(connection: "AsyncConnection[TupleRow]", query: LiteralString) -> set[str]:
    return {name for (name,) in await (await connection.execute(query)).fetchall()}
