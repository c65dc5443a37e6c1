"""Backups of the deployment, and the proof that they can be restored."""

from models.backups.service import (
    abandon,
    begin,
    begin_drill,
    end_drill,
    fail,
    last_good,
    mark_unreferenced,
    newest,
    newest_drills,
    record_sweep,
    succeed,
)
from models.backups.tables import Backup, Drill, Sweep

__all__ = [
    "Backup",
    "Drill",
    "Sweep",
    "abandon",
    "begin",
    "begin_drill",
    "end_drill",
    "fail",
    "last_good",
    "mark_unreferenced",
    "newest",
    "newest_drills",
    "record_sweep",
    "succeed",
]
