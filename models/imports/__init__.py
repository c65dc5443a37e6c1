"""Imports: files that become documents."""

from models.imports import unpacking
from models.imports.converting import Converted, beside, convert, nothing_beside
from models.imports.service import (
    ImportNotFound,
    NotImportable,
    begin,
    fail,
    find,
    items,
    left,
    object_key,
    refuse,
    request,
    see,
    settle,
    take_in,
)
from models.imports.tables import Import, ImportItem
from models.imports.unpacking import BadArchive, BadItem, Item, Kind, kind_of

__all__ = [
    "BadArchive",
    "BadItem",
    "Converted",
    "Import",
    "ImportItem",
    "ImportNotFound",
    "Item",
    "Kind",
    "NotImportable",
    "begin",
    "beside",
    "convert",
    "fail",
    "find",
    "items",
    "kind_of",
    "left",
    "nothing_beside",
    "object_key",
    "refuse",
    "request",
    "see",
    "settle",
    "take_in",
    "unpacking",
]
