"""What a deployment knows about a person: handing it out, and forgetting it."""

from models.people.deletion import OwnsAlone, request_deletion
from models.people.erasure import Erased, Outcome, Postponed, erase
from models.people.exporting import (
    LIFETIME,
    PersonalExportNotFound,
    PersonalExportNotReady,
    archive,
    expire,
    export_key,
    fail_export,
    find_export,
    object_key,
    object_prefix,
    own_export,
    own_exports,
    request_export,
    settle_export,
)
from models.people.tables import Erasure, PersonalExport

__all__ = [
    "LIFETIME",
    "Erased",
    "Erasure",
    "Outcome",
    "OwnsAlone",
    "PersonalExport",
    "PersonalExportNotFound",
    "PersonalExportNotReady",
    "Postponed",
    "archive",
    "erase",
    "expire",
    "export_key",
    "fail_export",
    "find_export",
    "object_key",
    "object_prefix",
    "own_export",
    "own_exports",
    "request_deletion",
    "request_export",
    "settle_export",
]
