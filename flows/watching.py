"""Looking after backups: what is too old raises the alarm, in the log, in the metrics, and in what workers say."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from flows.runtime import Runtime
from infra import clock
from infra.logging import get_logger
from infra.settings import Settings
from models import backups

log = get_logger(__name__)

LOOK_SECONDS = 60.0
LATE_LOG = timedelta(minutes=5)
"""The newest archived segment may be so old while there is something to archive."""

_ARCHIVER = text("""
    SELECT EXTRACT(epoch FROM now() - last_archived_time)::float8 AS age, archived_count, failed_count,
        COALESCE(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) AS failing,
        EXTRACT(epoch FROM now() - stats_reset)::float8 AS watched
    FROM pg_stat_archiver
""")


@dataclass(frozen=True, slots=True)
class Health:
    """How old things are, in seconds; None: there never was one."""

    drill: float | None
    dump: float | None
    base: float | None
    organizations: float | None
    """The last night in which every organization got its own."""
    log: float | None
    log_failures: int
    alarms: tuple[str, ...]


_newest: Health | None = None


def newest() -> Health | None:
    """What was seen last."""
    return _newest


async def look(runtime: Runtime) -> Health:
    """See how backups, drills and the archive of the log are doing."""
    async with runtime.db.transaction() as session:
        made, drill = await backups.last_good(session)
        archiver = (await session.execute(_ARCHIVER)).one()
    now = clock.now()
    ages = {kind: (now - at).total_seconds() for kind, at in made.items()}
    drilled = (now - drill).total_seconds() if drill else None
    alarms = _alarms(runtime.settings, ages, drilled)
    ours = bool(runtime.settings.wal_archive_seconds)
    behind = archiver.age is None or archiver.age > LATE_LOG.total_seconds()
    if ours and archiver.failing and behind and (archiver.watched or 0) > LATE_LOG.total_seconds():
        alarms.append("the log is not archived")
    return Health(
        drill=drilled,
        dump=ages.get("dump"),
        base=ages.get("base"),
        organizations=ages.get("organizations"),
        log=archiver.age if ours else None,
        log_failures=archiver.failed_count,
        alarms=tuple(alarms),
    )


async def watch(runtime: Runtime) -> None:
    """Look for ever, and say in the log what is wrong when it changes."""
    global _newest  # noqa: PLW0603 - one process looks, the others of its parts read
    said: tuple[str, ...] = ()
    while True:
        try:
            _newest = await look(runtime)
            if _newest.alarms != said:
                for alarm in _newest.alarms:
                    log.error("alarm", alarm=alarm)
                said = _newest.alarms
        except Exception as error:
            log.warning("backups not looked after", error=repr(error))
        await asyncio.sleep(LOOK_SECONDS)


def _alarms(settings: Settings, ages: dict[str, float], drill: float | None) -> list[str]:
    limits = {
        f"no good restore drill for {settings.drill_days:g} days": (drill, settings.drill_days * 86400),
        "no dump for 2 days": (ages.get("dump"), 2 * 86400.0),
        "not every organization backed up for 2 days": (ages.get("organizations"), 2 * 86400.0),
    }
    if settings.wal_archive_seconds:
        hours = 2 * settings.base_backup_hours
        limits[f"no base backup for {hours:g} hours"] = (ages.get("base"), hours * 3600)
    return [name for name, (age, limit) in limits.items() if age is None or age > limit]
