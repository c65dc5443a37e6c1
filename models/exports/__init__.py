"""Exports of documents."""

from models.exports.service import (
    MEDIA_TYPES,
    ExportNotFound,
    ExportNotReady,
    Format,
    Rendered,
    fail,
    fetch,
    find,
    object_key,
    render,
    request,
    settle,
)
from models.exports.tables import Export

__all__ = [
    "MEDIA_TYPES",
    "Export",
    "ExportNotFound",
    "ExportNotReady",
    "Format",
    "Rendered",
    "fail",
    "fetch",
    "find",
    "object_key",
    "render",
    "request",
    "settle",
]
