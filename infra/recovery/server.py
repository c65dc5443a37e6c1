"""A Postgres of our own for a while: it recovers a base backup from the archive, and answers on a private socket.

No port: a socket in a directory that nobody else may enter needs no password, and no two of them meet.
"""

import asyncio
import os
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

from infra.stack import account, binaries, process
from infra.stack.errors import NotReady
from infra.stack.home import Home
from infra.stack.logs import gist
from infra.stack.postgres import wal_command
from infra.stack.process import REPOSITORY

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
    runs_as = account.for_postgres(binaries.postgres("postgres"))
    work = directory.parent
    ahead = work / f"{directory.name}.ahead"
    ahead.mkdir(mode=0o700, exist_ok=True)
    access = work / f"{directory.name}.hba"
    access.write_text("local all all trust\n")
    (directory / "recovery.signal").touch()
    (directory / "standby.signal").unlink(missing_ok=True)
    socket = Path(tempfile.mkdtemp(prefix="doxie-"))  # short: the path of a socket has 107 bytes at most
    log = work / f"{directory.name}.log"
    for path in (directory, ahead, access, socket):
        account.hand_over(home, path, runs_as)
    options = _options(access, socket, ahead, until, archiving=archiving)
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(REPOSITORY), **store}
    running = await process.spawn(
        (str(binaries.postgres("postgres")), "-D", str(directory), *options),
        environment=environment,
        log=log,
        death_signal=signal.SIGQUIT,
        account=runs_as,
    )
    server = Server(directory, socket, log)
    try:
        await _opened(server, running)
        yield server
    finally:
        await process.stop(running, signal.SIGINT, 60)
        shutil.rmtree(socket, ignore_errors=True)
        shutil.rmtree(ahead, ignore_errors=True)
        access.unlink(missing_ok=True)


def last_restored(server: Server) -> datetime | None:
    """When the newest transaction was committed that came back; None where the log held none."""
    with psycopg.connect(server.url("postgres")) as connection:
        row = connection.execute("SELECT pg_last_xact_replay_timestamp()").fetchone()
    return row[0] if row else None


def _options(access: Path, socket: Path, ahead: Path, until: datetime | None, *, archiving: bool) -> list[str]:
    fetch = f'mv "{ahead}/%f" "%p" 2>/dev/null || {wal_command("fetch", "%f", "%p", str(ahead))}'
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "port": "5432",
        "hba_file": str(access),
        "shared_buffers": "64MB",
        "archive_mode": "on" if archiving else "off",
        "restore_command": fetch,
        "recovery_target_action": "promote",
        "recovery_target_timeline": "latest",
        "log_line_prefix": "%m [%p] ",
    }
    if until is not None:
        settings["recovery_target_time"] = until.astimezone(UTC).isoformat()
    return [f"--{name}={value}" for name, value in settings.items()]


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
        raise RecoveryFailed(f"Postgres {process.ending(running.returncode)}: {gist(server.log)}")
    finally:
        ended.cancel()


async def _probe(server: Server) -> None:
    try:
        async with await psycopg.AsyncConnection.connect(server.url("postgres"), autocommit=True) as connection:
            row = await (await connection.execute("SELECT pg_is_in_recovery()")).fetchone()
    except psycopg.Error as error:
        raise NotReady(str(error)) from error
    if row is None or row[0]:
        raise NotReady("still recovering")
