"""Looking after backups: what is too old raises the alarm, in the log, in the metrics, and in what workers say."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim
from sqlalchemy import text

from flows import deploy
from flows.runtime import Runtime
from infra import clock
from infra.logging import get_logger
from infra.settings import Settings
from models import backups, pipeline

log = get_logger(__name__)

LOOK_SECONDS = 60.0
LATE_LOG = timedelta(minutes=5)
"""The newest archived segment may be so old while there is something to archive."""

FIRST = timedelta(hours=1)
"""What has never been is missed so long after it was scheduled for the first time."""

_MAKERS = {
    "drill": "flows.drills.restore_drill",
    "dump": "flows.backups.nightly_backup",
    "base": "flows.bases.base_backup",
    "organizations": "flows.shelving.back_up_organizations",
}

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
    not_due: dict[str, str]
    """What there never was because its first time is still to come, and when that is."""


_newest: Health | None = None


def newest() -> Health | None:
    """What was seen last."""
    return _newest


async def look(runtime: Runtime) -> Health:
    """See how backups, drills and the archive of the log are doing."""
    async with runtime.db.transaction() as session:
        made, drill = await backups.last_good(session)
        archiver = (await session.execute(_ARCHIVER)).one()
        installed = await pipeline.installed_at(session)
    now = clock.now()
    ages = {kind: (now - at).total_seconds() for kind, at in made.items()}
    if drill:
        ages["drill"] = (now - drill).total_seconds()
    not_due = {name: at for name, at in first_due(installed).items() if name not in ages and now < at + FIRST}
    alarms = _alarms(runtime.settings, ages, not_due)
    ours = bool(runtime.settings.wal_archive_seconds)
    behind = archiver.age is None or archiver.age > LATE_LOG.total_seconds()
    if ours and archiver.failing and behind and (archiver.watched or 0) > LATE_LOG.total_seconds():
        alarms.append("the log is not archived")
    return Health(
        drill=ages.get("drill"),
        dump=ages.get("dump"),
        base=ages.get("base"),
        organizations=ages.get("organizations"),
        log=archiver.age if ours else None,
        log_failures=archiver.failed_count,
        alarms=tuple(alarms),
        not_due={name: f"{at:%Y-%m-%d %H:%M} UTC" for name, at in not_due.items()},
    )


def first_due(installed: datetime) -> dict[str, datetime]:
    """When each thing that is made on a schedule is made for the first time in an installation of some time."""
    schedules = {one["entrypoint"]: one["schedules"] for one in deploy.described()}
    since = installed.astimezone(UTC)
    return {name: next(CronSim(schedules[maker][0]["cron"], since)) for name, maker in _MAKERS.items()}


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


def _alarms(settings: Settings, ages: Mapping[str, float], not_due: Collection[str]) -> list[str]:
    limits = {
        "drill": (f"no good restore drill for {settings.drill_days:g} days", settings.drill_days * 86400),
        "dump": ("no dump for 2 days", 2 * 86400.0),
        "organizations": ("not every organization backed up for 2 days", 2 * 86400.0),
    }
    if settings.wal_archive_seconds:
        hours = 2 * settings.base_backup_hours
        limits["base"] = (f"no base backup for {hours:g} hours", hours * 3600)
    return [
        alarm
        for name, (alarm, limit) in limits.items()
        if name not in not_due and (name not in ages or ages[name] > limit)
    ]
