"""A Postgres of our own for a while: it recovers a base backup from the archive, and answers on a private socket.

No port: a socket in a directory that nobody else may enter needs no password, and no two of them meet.
"""

import asyncio
import os
import re
import shutil
import signal
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier

from infra.stack import account, binaries, process
from infra.stack.errors import NotReady
from infra.stack.home import Home
from infra.stack.logs import gist
from infra.stack.plan import OWNER
from infra.stack.postgres import INITDB, wal_command
from infra.stack.process import REPOSITORY

_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"}

_REACHED = re.compile(r"last completed transaction was at log time (.+)$", re.MULTILINE)

READY_SECONDS = 6 * 3600.0
"""Recovery reads the whole log since the base backup."""


class RecoveryFailed(RuntimeError):
    """Postgres did not get to the moment it was asked for."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    directory: Path
    socket: Path
    log: Path

    def url(self, database: str = "doxie", user: str = "doxie") -> str:
        """How to connect, as the superuser by default."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.socket), safe='')}"


@asynccontextmanager
async def fresh(home: Home, directory: Path) -> AsyncIterator[Server]:
    """An empty server, for a logical dump.

    Raises:
        RecoveryFailed: it cannot be made.
    """
    runs_as = account.for_postgres(binaries.postgres("postgres"))
    directory.mkdir(mode=0o700)  # noqa: ASYNC240 - as quick as asking a thread
    account.hand_over(home, directory, runs_as)
    log = directory.parent / f"{directory.name}.log"
    command = (str(binaries.postgres("initdb")), "-D", str(directory), "-U", OWNER, "--auth=trust", *INITDB)
    code = await process.run(command, environment=_ENVIRONMENT, log=log, seconds=120, account=runs_as)
    if code:
        raise RecoveryFailed(f"initdb {process.ending(code)}: {gist(log)}")
    async with _running(home, directory, {}, _ENVIRONMENT) as server:
        yield server


@asynccontextmanager
async def recovered(
    home: Home,
    directory: Path,
    store: Mapping[str, str],
    *,
    until: datetime | None = None,
    archiving: bool = False,
) -> AsyncIterator[Server]:
    """Recover the cluster in a directory to a moment (all there is, without one) and open it for writing.

    `store`: the variables of `infra.recovery.s3.Bucket`. With `archiving` the new timeline goes into the
    archive, as it must when this cluster is to stay.

    Raises:
        RecoveryFailed: the archive is damaged, or does not reach that far.
    """
    ahead = directory.parent / f"{directory.name}.ahead"
    ahead.mkdir(mode=0o700, exist_ok=True)
    account.hand_over(home, ahead, account.for_postgres(binaries.postgres("postgres")))
    (directory / "recovery.signal").touch()
    (directory / "standby.signal").unlink(missing_ok=True)
    environment = {**_ENVIRONMENT, "PYTHONPATH": str(REPOSITORY), **store}
    try:
        async with _running(home, directory, _recovery(ahead, until, archiving=archiving), environment) as server:
            yield server
    finally:
        shutil.rmtree(ahead, ignore_errors=True)


@asynccontextmanager
async def _running(
    home: Home, directory: Path, settings: Mapping[str, str], environment: Mapping[str, str]
) -> AsyncIterator[Server]:
    runs_as = account.for_postgres(binaries.postgres("postgres"))
    access = directory.parent / f"{directory.name}.hba"
    access.write_text("local all all trust\n")
    socket = Path(tempfile.mkdtemp(prefix="doxie-"))  # short: the path of a socket has 107 bytes at most
    for path in (directory, access, socket):
        account.hand_over(home, path, runs_as)
    own = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "port": "5432",
        "hba_file": str(access),
        "shared_buffers": "64MB",
        "log_line_prefix": "%m [%p] ",
    }
    server = Server(directory, socket, directory.parent / f"{directory.name}.log")
    options = [f"--{name}={value}" for name, value in {**own, **settings}.items()]
    running = await process.spawn(
        (str(binaries.postgres("postgres")), "-D", str(directory), *options),
        environment=environment,
        log=server.log,
        death_signal=signal.SIGQUIT,
        account=runs_as,
    )
    try:
        await _opened(server, running)
        yield server
    finally:
        await process.stop(running, signal.SIGINT, 60)
        shutil.rmtree(socket, ignore_errors=True)
        access.unlink(missing_ok=True)


def create_database(server: Server, name: str) -> None:
    """Make an empty database."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))


def last_restored(server: Server) -> datetime | None:
    """When the newest transaction was committed that came back; None where the log held none."""
    with psycopg.connect(server.url("postgres")) as connection:
        row = connection.execute("SELECT pg_last_xact_replay_timestamp()").fetchone()
    return row[0] if row else None


def _recovery(ahead: Path, until: datetime | None, *, archiving: bool) -> dict[str, str]:
    fetch = f'mv "{ahead}/%f" "%p" 2>/dev/null || {wal_command("fetch", "%f", "%p", str(ahead))}'
    settings = {
        "archive_mode": "on" if archiving else "off",
        "archive_command": wal_command("archive", "%p", "%f"),  # not that of the machine it was copied from
        "restore_command": fetch,
        "recovery_target_action": "promote",
        "recovery_target_timeline": "latest",
    }
    return settings if until is None else {**settings, "recovery_target_time": until.astimezone(UTC).isoformat()}


async def _opened(server: Server, running: Process) -> None:
    """Wait until recovery is over: for as long as it takes, and no longer than the process lives."""
    ended = asyncio.create_task(running.wait())
    deadline = asyncio.get_running_loop().time() + READY_SECONDS
    try:
        while not ended.done():
            try:
                return await _probe(server)
            except NotReady:
                if asyncio.get_running_loop().time() > deadline:
                    raise RecoveryFailed("recovery takes too long") from None
            await asyncio.wait({ended}, timeout=0.1)
        raise RecoveryFailed(f"Postgres {process.ending(running.returncode)}: {_reason(server.log)}")
    finally:
        ended.cancel()


def _reason(log: Path) -> str:
    """Why recovery ended, and how far it had come."""
    reached = _REACHED.findall(log.read_text(errors="replace"))
    return gist(log) + (f"; the newest transaction in the archive is of {reached[-1]}" if reached else "")


async def _probe(server: Server) -> None:
    try:
        async with await psycopg.AsyncConnection.connect(server.url("postgres"), autocommit=True) as connection:
            row = await (await connection.execute("SELECT pg_is_in_recovery()")).fetchone()
    except psycopg.Error as error:
        raise NotReady(str(error)) from error
    if row is None or row[0]:
        raise NotReady("still recovering")
