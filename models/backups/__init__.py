"""Backups of the deployment and of single organizations, and the proof that they can be restored."""

from models.backups.organizations import BackupGoesOn, BackupNotFound
from models.backups.packing import BackupDamaged
from models.backups.service import (
    abandon,
    begin,
    begin_drill,
    count_drills,
    end_drill,
    fail,
    last_good,
    mark_unreferenced,
    newest,
    newest_drills,
    newest_dump,
    record_sweep,
    succeed,
)
from models.backups.tables import Backup, Drill, OrganizationBackup, Sweep

__all__ = [
    "Backup",
    "BackupDamaged",
    "BackupGoesOn",
    "BackupNotFound",
    "Drill",
    "OrganizationBackup",
    "Sweep",
    "abandon",
    "begin",
    "begin_drill",
    "count_drills",
    "end_drill",
    "fail",
    "last_good",
    "mark_unreferenced",
    "newest",
    "newest_drills",
    "newest_dump",
    "record_sweep",
    "succeed",
]
