"""The run ledger."""

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
from models.pipeline.tables import PipelineRun

__all__ = [
    "NotReplayable",
    "PipelineRun",
    "RunNotFound",
    "begin",
    "fail",
    "find",
    "of_document",
    "record",
    "replay",
    "succeed",
]
