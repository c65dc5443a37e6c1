"""The run ledger."""

from models.pipeline.runs import ended_leases, forget, hold, installation, installed_at, leased, name, owe, owed
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
    "ended_leases",
    "fail",
    "find",
    "forget",
    "hold",
    "installation",
    "installed_at",
    "leased",
    "name",
    "of_document",
    "owe",
    "owed",
    "page",
    "prune",
    "record",
    "replay",
    "replay_range",
    "set_aside",
    "succeed",
]
