"""The run ledger."""

from models.pipeline.runs import hold, installation, name, owe, owed, release, take_dead
from models.pipeline.service import (
    NotReplayable,
    RunNotFound,
    begin,
    fail,
    find,
    of_document,
    record,
    replay,
    succeed,
)
from models.pipeline.tables import PipelineRun, UnrecordedRun

__all__ = [
    "NotReplayable",
    "PipelineRun",
    "RunNotFound",
    "UnrecordedRun",
    "begin",
    "fail",
    "find",
    "hold",
    "installation",
    "name",
    "of_document",
    "owe",
    "owed",
    "record",
    "release",
    "replay",
    "succeed",
    "take_dead",
]
