"""Backups of the deployment."""

from models.backups.service import begin, fail, newest, succeed
from models.backups.tables import Backup

__all__ = ["Backup", "begin", "fail", "newest", "succeed"]
