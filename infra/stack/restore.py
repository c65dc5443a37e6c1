"""`./doxie restore`: put a home's database back to a moment, from base backup and archived log."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import typer
from psycopg.sql import SQL, Identifier

from infra import postgres_tools
from infra.recovery import base as bases
from infra.recovery import mirror, server
from infra.settings import Settings
from infra.stack import credentials, detach, lock
from infra.stack.errors import StackError
from infra.stack.files import read_env, write_env
from infra.stack.home import Home
from infra.stack.plan import OWNER, S3_ENDPOINT
from infra.stack.postgres import PREFECT
from infra.storage import ObjectStore

_NO_FIXED_PORTS = {f"DOXIE_{name}_PORT": "0" for name in ("API", "COLLAB", "PREFECT")}


async def run(target: Home, source: Home, to: datetime | None, *, force: bool) -> None:
    """Restore the database of `target` from the backups of `source`, to a moment or to the archive's end.

    The cluster that was there is moved aside, never removed.

    Raises:
        StackError: it runs, has a database of its own, or cannot be restored; then nothing has changed.
    """
    began = time.monotonic()
    _require_idle(target, source, force=force)
    _hand_over_secrets(target, source)
    with _stores(source) as found:
        if target.root != source.root and not os.environ.get(S3_ENDPOINT):
            with _stores(target, ports=_NO_FIXED_PORTS) as own:
                await _copy_buckets(target, found, own)
                await _restore(target, own, to)
        else:
            await _restore(target, found, to)
    _say(f"done in {time.monotonic() - began:.0f} s; start it with `./doxie up --home {target.root}`")


def _require_idle(target: Home, source: Home, *, force: bool) -> None:
    if lock.holder(target) is not None:
        if not force:
            raise StackError(f"{target.root} is running: stop it with `./doxie down`, or say --force")
        _say(f"stopping what runs in {target.root}, since --force was said")
        detach.stop(target)
    elif target.root != source.root and target.data("postgres").exists() and not force:
        raise StackError(f"{target.root} has a database already: name an empty home, or say --force to replace it")


def _hand_over_secrets(target: Home, source: Home) -> None:
    """A new home gets the keys of the old one: what is sealed in the database opens with no others."""
    known = read_env(source.secrets)
    if target.root != source.root and known and not target.secrets.exists():
        write_env(target.secrets, known)
    if not target.secrets.exists():
        _say(f"no secrets.env in {target.root}: new keys are made, everybody has to sign in again,")
        _say("and what was sealed with the old keys stays closed")
    credentials.ensure(target)


@contextmanager
def _stores(home: Home, ports: Mapping[str, str] | None = None) -> Iterator[Mapping[str, str]]:
    """The variables of a home's object store, which runs for as long as the block."""
    embedded = not os.environ.get(S3_ENDPOINT)
    start = embedded and lock.holder(home) is None
    held = None if start or lock.holder(home) is not None else lock.acquire(home)
    if start:
        before = {name: os.environ.get(name) for name in ports or {}}
        os.environ.update(ports or {})
        try:
            detach.start(home.root, ["--only", "s3,buckets"])
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
    try:
        yield {**read_env(home.secrets), **read_env(home.environment), **os.environ}
    finally:
        if start:
            detach.stop(home)
        if held is not None:
            lock.release(held)


def _settings(home: Home, found: Mapping[str, str]) -> Settings:
    names = {"s3_endpoint", "s3_access_key", "s3_secret_key", "s3_region", "s3_bucket", "s3_backup_bucket"}
    given = {name: found[f"DOXIE_{name.upper()}"] for name in names if f"DOXIE_{name.upper()}" in found}
    return Settings(home=home.root, **given)  # type: ignore[arg-type]


async def _copy_buckets(target: Home, found: Mapping[str, str], own: Mapping[str, str]) -> None:
    theirs, ours = _settings(target, found), _settings(target, own)
    for bucket in (theirs.s3_bucket, theirs.s3_backup_bucket):
        there, here = ObjectStore(theirs, bucket), ObjectStore(ours, bucket)
        await here.ensure_bucket()
        copied = await mirror.copy(there, here, target.root)
        _say(f"copied {copied.objects} objects ({copied.bytes:,} bytes) of {bucket}")
        await there.close()
        await here.close()


async def _restore(home: Home, found: Mapping[str, str], to: datetime | None) -> None:
    settings = _settings(home, found)
    store = ObjectStore(settings, settings.s3_backup_bucket)
    work = home.root / f"restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    work.mkdir(mode=0o700)
    try:
        base = await bases.choose(store, to)
        _say(f"base backup of {base.finished_at:%Y-%m-%d %H:%M:%S} UTC, {base.size:,} bytes")
        cluster = work / "cluster"
        await bases.fetch(store, base, cluster, work)
        variables = {name: value for name, value in found.items() if name.startswith("DOXIE_S3_")}
        async with server.recovered(home, cluster, variables, until=to, archiving=True) as running:
            last = server.last_restored(running) or base.finished_at
            _set_passwords(running, read_env(home.secrets))
        _move_in(home, cluster)
    except (server.RecoveryFailed, bases.BaseDamaged, bases.NoBackup, postgres_tools.CannotBackUp) as error:
        raise StackError(f"cannot restore: {error}") from error
    finally:
        await store.close()
        shutil.rmtree(work, ignore_errors=True)
    _say(f"restored: the newest transaction is of {last.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC")


def _set_passwords(running: server.Server, secrets: Mapping[str, str]) -> None:
    """The home's own, which need not be those of the time that was restored."""
    with psycopg.connect(running.url("postgres"), autocommit=True) as connection:
        for role, name in ((OWNER, "DOXIE_POSTGRES_PASSWORD"), (PREFECT, "DOXIE_PREFECT_DB_PASSWORD")):
            connection.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), secrets[name]))


def _move_in(home: Home, cluster: Path) -> None:
    data = home.data("postgres")
    if data.exists():
        aside = home.root / f"postgres.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        data.rename(aside)
        _say(f"the database that was there is in {aside}")
    cluster.rename(data)


def _say(text: str) -> None:
    typer.echo(f"restore: {text}")
