"""`./doxie restore`: the database as it was between two edits, in place or in a new home."""

import asyncio
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from infra.recovery import base as bases
from infra.settings import Settings
from infra.stack.files import read_env
from infra.storage import ObjectStore
from tests.infra.stack.command import Doxie, one_line

WITH_BUCKETS = "postgres,redis,s3,buckets"


def settings_of(home: Path) -> Settings:
    found = {**read_env(home / "secrets.env"), **read_env(home / "stack.env")}
    names = ("database_url", "s3_endpoint", "s3_access_key", "s3_secret_key")
    return Settings(home=home, **{name: found[f"DOXIE_{name.upper()}"] for name in names})  # type: ignore[arg-type]


def take_base(home: Path) -> None:
    async def take() -> None:
        settings = settings_of(home)
        store = ObjectStore(settings, settings.s3_backup_bucket)
        (home / "work").mkdir()
        await bases.take(settings.database_url.get_secret_value(), store, home / "work", backup_id=UUID(int=1))
        await store.close()

    asyncio.run(take())


def marks(home: Path, *statements: str) -> list[int]:
    """Run statements; what the table holds then."""
    with psycopg.connect(settings_of(home).database_url.get_secret_value(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        return [row[0] for row in connection.execute("SELECT number FROM marks ORDER BY number")]


def ship(home: Path) -> None:
    """Wait until everything is archived."""
    with psycopg.connect(settings_of(home).database_url.get_secret_value(), autocommit=True) as connection:
        [name] = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone() or ("",)
        for _ in range(600):
            row = connection.execute("SELECT last_archived_wal FROM pg_stat_archiver").fetchone()
            if row and row[0] and row[0] >= name:
                return
            time.sleep(0.1)
    raise AssertionError(f"{name} was not archived")


@pytest.mark.long
def test_a_moment_between_two_edits(doxie: Doxie, tmp_path: Path) -> None:
    doxie.up(WITH_BUCKETS)
    home = doxie.home
    marks(home, "CREATE TABLE marks (number int)", "INSERT INTO marks VALUES (1)")
    take_base(home)
    marks(home, "INSERT INTO marks VALUES (2)")
    time.sleep(1.1)
    moment = datetime.now(UTC).isoformat()
    time.sleep(1.1)
    assert marks(home, "INSERT INTO marks VALUES (3)") == [1, 2, 3]
    ship(home)

    # never over what runs
    assert "is running" in one_line(doxie.run("restore", "--to", moment))
    assert marks(home) == [1, 2, 3]

    # into a new home, while the old one runs on
    other = Doxie(tmp_path / "other")
    done = subprocess.run(
        [sys.executable, "-m", "infra.stack", "restore", "--to", "latest", "--home", str(other.home)],
        env={**doxie.environment, "DOXIE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    try:
        other.up(WITH_BUCKETS)
        assert marks(other.home) == [1, 2, 3]
    finally:
        other.run("down")
    assert marks(home) == [1, 2, 3]

    # in place; what was there stays beside it
    doxie.run("down")
    done = doxie.run("restore", "--to", moment)
    assert done.returncode == 0, done.stdout + done.stderr
    doxie.up(WITH_BUCKETS)
    assert marks(home) == [1, 2]
    assert len(list(home.glob("postgres.before-*"))) == 1

    # and it goes on from there, on a timeline of its own
    marks(home, "INSERT INTO marks VALUES (4)")
    ship(home)
    doxie.run("down")
    done = doxie.run("restore", "--to", "latest")
    assert done.returncode == 0, done.stdout + done.stderr
    doxie.up(WITH_BUCKETS)
    assert marks(home) == [1, 2, 4]

    doxie.run("down")
    assert "no base backup is that old" in doxie.run("restore", "--to", "2020-01-01").stderr
    assert "is no moment" in doxie.run("restore", "--to", "yesterday").stderr
