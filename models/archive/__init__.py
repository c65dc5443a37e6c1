"""Archiving: folded updates leave Postgres for the object store, and nothing is lost on the way."""

from models.archive.service import LEVEL, NothingToArchive, Plan, archive, candidates, organizations
from models.archive.sweeping import content, referenced
from models.archive.thinning import thin

__all__ = [
    "LEVEL",
    "NothingToArchive",
    "Plan",
    "archive",
    "candidates",
    "content",
    "organizations",
    "referenced",
    "thin",
]
