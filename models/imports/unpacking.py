"""What is in a file that somebody wants imported, and whether it may be looked at: zips are full of traps.

Nothing is unpacked before its size was checked, one thing is in memory at a time, and no more of it than it may have.
"""

import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from models.errors import Invalid

MIB = 1024 * 1024
MAX_ENTRIES = 2_000
MAX_DIRECTORY_BYTES = MIB
MAX_ITEM_BYTES = 16 * MIB
MAX_TOTAL_BYTES = 256 * MIB
MAX_RATIO = 200
RATIO_FROM = MIB
"""Small things may be packed as tightly as they like."""
MAX_IMAGE_BYTES = 512 * 1024
END = struct.Struct("<4s4H2LH")
END_SIGN, ZIP64_SIGN = b"PK\x05\x06", b"PK\x06\x07"
ZIP64_LOCATOR = 20
ENCRYPTED = 0x1
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"})
PLAIN_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class Kind(StrEnum):
    """What can be imported."""

    MARKDOWN = "markdown"
    HTML = "html"
    DOCX = "docx"
    ZIP = "zip"


SUFFIXES = {
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".txt": Kind.MARKDOWN,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".docx": Kind.DOCX,
    ".zip": Kind.ZIP,
}
MEDIA_TYPES = {
    "text/markdown": Kind.MARKDOWN,
    "text/plain": Kind.MARKDOWN,
    "text/html": Kind.HTML,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Kind.DOCX,
    "application/zip": Kind.ZIP,
    "application/x-zip-compressed": Kind.ZIP,
}


class BadArchive(Invalid):
    """The zip cannot be opened."""


class BadItem(Invalid):
    """This cannot be imported."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to import."""

    position: int
    path: str
    kind: Kind | None
    problem: str | None = None
    """Why it cannot be."""


def kind_of(file_name: str, media_type: str = "") -> Kind | None:
    """What a file is, by its name, else by its media type."""
    return SUFFIXES.get(PurePosixPath(file_name).suffix.lower()) or MEDIA_TYPES.get(
        media_type.partition(";")[0].strip().lower()
    )


def open_zip(data: bytes) -> zipfile.ZipFile:
    """A zip whose directory is small enough to be read.

    Raises:
        BadArchive: it is none, or claims to hold too much.
    """
    _check_directory(data)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
        raise BadArchive(f"The zip cannot be opened: {error}") from error
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise BadArchive(f"The zip holds {len(infos)} files; at most {MAX_ENTRIES} are allowed.")
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL_BYTES:
        raise BadArchive(f"The zip would unpack to {total} bytes; at most {MAX_TOTAL_BYTES} are allowed.")
    return archive


def items(archive: zipfile.ZipFile) -> Iterator[Item]:
    """The documents in a zip, and what else is no part of one, in order."""
    seen: set[str] = set()
    for position, info in enumerate(archive.infolist()):
        if not info.filename or info.is_dir() or _is_litter(info.filename):
            continue
        suffix = PurePosixPath(info.filename).suffix.lower()
        kind = SUFFIXES.get(suffix)
        problem = _problem(info) or ("It is there twice." if info.filename in seen else None)
        if problem is None and kind is Kind.ZIP:
            problem = "A zip inside a zip is not opened."
        if problem is None and kind is None:
            if suffix in IMAGES:
                continue  # it comes with the document that shows it
            problem = "It is neither Markdown nor HTML nor a Word document."
        seen.add(info.filename)
        yield Item(position, info.filename[:500], kind, problem)


def content_of(archive: zipfile.ZipFile, position: int, limit: int = MAX_ITEM_BYTES) -> bytes:
    """One thing of a zip.

    Raises:
        BadItem: it may not be unpacked, or is damaged.
    """
    info = archive.infolist()[position]
    if problem := _problem(info, limit):
        raise BadItem(problem)
    try:
        with archive.open(info) as file:
            data = file.read(limit + 1)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise BadItem(f"It cannot be unpacked: {error}") from error
    except Exception as error:
        if type(error).__name__ != "error":  # zlib's own, which has no other name
            raise
        raise BadItem("It cannot be unpacked: it is damaged.") from error
    if len(data) > limit:
        raise BadItem(f"It is larger than {limit} bytes.")
    return data


def named(archive: zipfile.ZipFile, path: str) -> int | None:
    """The position of a thing by its path."""
    return next((place for place, info in enumerate(archive.infolist()) if info.filename == path), None)


def check_word(data: bytes) -> None:
    """That a Word document is a zip without traps, in it or in its XML.

    Raises:
        BadItem: it is not.
    """
    try:
        archive = open_zip(data)
    except BadArchive as error:
        raise BadItem(f"It is no Word document: {error}") from error
    if named(archive, "word/document.xml") is None:
        raise BadItem("It is no Word document: it has no word/document.xml.")
    for position, info in enumerate(archive.infolist()):
        if problem := _problem(info):
            raise BadItem(f"{info.filename[:200]}: {problem}")
        if info.filename.lower().endswith((".xml", ".rels")):
            # Without NULs, so that UTF-16 hides nothing.
            text = content_of(archive, position).replace(b"\0", b"")
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise BadItem(f"{info.filename[:200]}: it declares XML entities.")


def _check_directory(data: bytes) -> None:
    """What the end of a zip says of its directory, found the way that `zipfile` finds it."""
    place = len(data) - END.size
    if place < 0:
        raise BadArchive("The zip cannot be opened: it is too short.")
    if data[place : place + 4] != END_SIGN or data[-2:] != b"\0\0":
        place = data.rfind(END_SIGN, max(0, place - 65_535))
        if place < 0 or place + END.size > len(data):
            raise BadArchive("The zip cannot be opened: it has no end.")
    if data[max(0, place - ZIP64_LOCATOR) : place][:4] == ZIP64_SIGN:
        raise BadArchive("The zip is larger than any that is opened here.")
    _, _, _, _, entries, size, _, _ = END.unpack_from(data, place)
    if entries > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES:
        raise BadArchive(f"The zip holds more than {MAX_ENTRIES} files.")


def _problem(info: zipfile.ZipInfo, limit: int = MAX_ITEM_BYTES) -> str | None:
    path = PurePosixPath(info.filename)
    if not path.parts:
        return "It has no name."
    if path.is_absolute() or ".." in path.parts or "\\" in info.orig_filename or ":" in path.parts[0]:
        return "Its path leads out of the zip."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "It is a link."
    if info.flag_bits & ENCRYPTED:
        return "It is encrypted."
    if info.compress_type not in PLAIN_METHODS:
        return "It is packed in an unusual way."
    if info.file_size > limit:
        return f"It is larger than {limit} bytes."
    if info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * max(1, info.compress_size):
        return f"It would unpack to more than {MAX_RATIO} times its size."
    return None


def _is_litter(path: str) -> bool:
    """What systems leave in zips."""
    parts = PurePosixPath(path).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1] in {".DS_Store", "Thumbs.db", "desktop.ini"})
