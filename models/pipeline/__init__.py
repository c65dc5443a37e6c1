"""The run ledger."""

from models.pipeline.runs import dead, hold, installation, installed_at, name, owe, owed, release
from models.pipeline.service import (
    Filter,
    NotReplayable,
    RunNotFound,
    begin,
    fail,
    find,
    of_document,
    page,
    prune,
    record,
    replay,
    replay_range,
    set_aside,
    succeed,
)
from models.pipeline.tables import PipelineRun, UnrecordedRun

__all__ = [
    "Filter",
    "NotReplayable",
    "PipelineRun",
    "RunNotFound",
    "UnrecordedRun",
    "begin",
    "dead",
    "fail",
    "find",
    "hold",
    "installation",
    "installed_at",
    "name",
    "of_document",
    "owe",
    "owed",
    "page",
    "prune",
    "record",
    "release",
    "replay",
    "replay_range",
    "set_aside",
    "succeed",
]
