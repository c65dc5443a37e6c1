"""A real streaming replica of the Postgres of the tests: made with pg_basebackup, following until it is stopped."""

import asyncio
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from infra import postgres_tools
from infra.stack import account, binaries, process
from infra.stack.home import Home
from infra.stack.postgres import environment
from tests.conftest import Stack


@asynccontextmanager
async def following(stack: Stack) -> AsyncIterator[int]:
    """The port of a replica that answers reads."""
    owner = make_url(stack.settings.database_url.get_secret_value())
    with tempfile.TemporaryDirectory(prefix="doxie-replica-") as made, socket.socket() as reserved:
        data, home = Path(made) / "data", Home(stack.home)
        await postgres_tools.base_backup(owner.render_as_string(hide_password=False), data)
        (data / "standby.signal").touch()
        data.chmod(0o700)
        runs_as = account.for_postgres(binaries.postgres("postgres"))
        account.hand_over(home, data, runs_as)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        source = f"host={owner.host} port={owner.port} user={owner.username} password={owner.password}"
        settings = {"port": str(port), "primary_conninfo": source, "archive_mode": "off"}
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = (str(binaries.postgres("postgres")), "-D", str(data), *options)
        log = Path(made) / "log"
        running = await process.spawn(
            command, environment=environment(), log=log, death_signal=signal.SIGQUIT, account=runs_as
        )
        try:
            await _answering(owner.set(port=port).render_as_string(hide_password=False), log)
            yield port
        finally:
            await process.stop(running, signal.SIGINT, 30)


async def _answering(url: str, log: Path) -> None:
    for _ in range(300):
        try:
            async with await psycopg.AsyncConnection.connect(url) as connection:
                row = await (await connection.execute("SELECT pg_is_in_recovery()")).fetchone()
        except psycopg.OperationalError:
            await asyncio.sleep(0.1)
        else:
            assert row == (True,), "it does not follow"
            return
    raise AssertionError(f"it does not come up: {log.read_text()}")  # noqa: ASYNC240 - the test is over
