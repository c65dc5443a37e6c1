"""Exports of documents."""

from models.exports.rendering import MEDIA_TYPES, SUFFIXES, CannotConvert, Format
from models.exports.service import (
    ExportNotFound,
    ExportNotReady,
    Rendered,
    fail,
    fetch,
    find,
    load,
    object_key,
    render,
    request,
    settle,
)
from models.exports.tables import Export

__all__ = [
    "MEDIA_TYPES",
    "SUFFIXES",
    "CannotConvert",
    "Export",
    "ExportNotFound",
    "ExportNotReady",
    "Format",
    "Rendered",
    "fail",
    "fetch",
    "find",
    "load",
    "object_key",
    "render",
    "request",
    "settle",
]
