"""Exports of documents and of whole organizations."""

from models.exports import archiving
from models.exports.archiving import ARCHIVE, request_archive
from models.exports.rendering import MEDIA_TYPES, SUFFIXES, CannotConvert, Format
from models.exports.service import (
    ExportNotFound,
    ExportNotReady,
    Rendered,
    fail,
    find,
    load,
    object_key,
    pieces,
    render,
    request,
    see,
    settle,
    settle_archive,
)
from models.exports.tables import Export, ExportPart
from models.exports.verifying import Verdict, verify_archive
from models.exports.zipping import Zip, manifest

__all__ = [
    "ARCHIVE",
    "MEDIA_TYPES",
    "SUFFIXES",
    "CannotConvert",
    "Export",
    "ExportNotFound",
    "ExportNotReady",
    "ExportPart",
    "Format",
    "Rendered",
    "Verdict",
    "Zip",
    "archiving",
    "fail",
    "find",
    "load",
    "manifest",
    "object_key",
    "pieces",
    "render",
    "request",
    "request_archive",
    "see",
    "settle",
    "settle_archive",
    "verify_archive",
]
