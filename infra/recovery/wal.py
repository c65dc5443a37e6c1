"""`python -m infra.recovery.wal archive|fetch …`: what Postgres calls for every segment of its log.

    archive_command = '… archive "%p" "%f"'
    restore_command = '… fetch "%f" "%p"'

A segment counts as archived once the store has it and it was read back. Until then Postgres keeps
it and asks again, so nothing is lost while the store is down, and nothing here needs Prefect, a
daemon or a spool. An object is the SHA-256 of the segment in a skippable frame, then one ordinary
zstd frame: `zstd -d` reads it too.
"""

import hashlib
import os
import re
import struct
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import zstandard

from infra.recovery.s3 import Bucket, Refused, Taken

PREFIX = "wal/"
MAX_BYTES = 1 << 30
"""The largest segment Postgres can be told to write."""
AHEAD = 15
"""So many segments after the one that is asked for are fetched with it: starting up costs more than fetching."""

ABORT = 200
"""Above 125 Postgres gives recovery up; anything less would mean that the archive ends here."""
MISSING = 1

_SKIPPABLE = struct.pack("<II", 0x184D2A50, 32)
_HEADER_BYTES = len(_SKIPPABLE) + 32
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})")


class Damaged(RuntimeError):
    """An archived object is not what was archived."""


class Different(RuntimeError):
    """The archive has another segment by that name: two servers archive to the same place."""


def pack(data: bytes) -> bytes:
    """The object that holds a segment."""
    frame = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(data)
    return _SKIPPABLE + hashlib.sha256(data).digest() + frame


def unpack(stored: bytes) -> bytes:
    """The segment an object holds.

    Raises:
        Damaged: it is not what was packed.
    """
    if stored[: len(_SKIPPABLE)] != _SKIPPABLE:
        raise Damaged("it does not begin as an archived segment does")
    frame = stored[_HEADER_BYTES:]
    try:
        if not 0 <= zstandard.frame_content_size(frame) <= MAX_BYTES:
            raise Damaged("it is larger than a segment can be")
        data = zstandard.ZstdDecompressor().decompress(frame)
    except zstandard.ZstdError as error:
        raise Damaged(str(error)) from error
    if hashlib.sha256(data).digest() != stored[len(_SKIPPABLE) : _HEADER_BYTES]:
        raise Damaged("its hash is another one")
    return data


def system_of(data_directory: Path) -> str:
    """The identifier of a cluster: archives of different clusters never mix."""
    control = (data_directory / "global" / "pg_control").read_bytes()
    return str(struct.unpack_from("=Q", control)[0])


def key(system: str, name: str) -> str:
    """The name of the object for a file of the log."""
    return f"{PREFIX}{system}/{name}.zst"


def archive(bucket: Bucket, system: str, path: Path, name: str) -> None:
    """Store a segment and read it back; no error where the same one is there already.

    Raises:
        Different: another one is there.
        Damaged: what is there, or came back, is damaged.
    """
    data = path.read_bytes()
    with suppress(Taken):  # an earlier attempt got so far; or somebody else's
        bucket.create(key(system, name), pack(data))
    stored = bucket.get(key(system, name))
    if stored is None:
        raise Refused(f"{name} was written and is not there")
    if unpack(stored) != data:
        raise Different(f"the archive has another {name} of cluster {system}; nothing was overwritten")


def fetch(bucket: Bucket, system: str, name: str) -> bytes | None:
    """An archived segment; None where the archive has none by that name."""
    stored = bucket.get(key(system, name))
    return None if stored is None else unpack(stored)


def following(name: str, count: int, *, per_file: int = 256) -> list[str]:
    """The names of the segments after one; none after what is no segment. `per_file`: segments in 4 GiB."""
    match = _SEGMENT.fullmatch(name)
    if match is None:
        return []
    timeline, high, low = match.groups()
    first = int(high, 16) * per_file + int(low, 16) + 1
    return [f"{timeline}{at // per_file:08X}{at % per_file:08X}" for at in range(first, first + count)]


def fetch_ahead(bucket: Bucket, system: str, name: str, target: Path, ahead: Path) -> bool:
    """Put a segment where Postgres wants it, and those after it where the next call finds them."""
    with ThreadPoolExecutor(AHEAD + 1) as pool:
        wanted = pool.submit(fetch, bucket, system, name)
        later = {other: pool.submit(fetch, bucket, system, other) for other in following(name, AHEAD)}
        data = wanted.result()
        for other, result in later.items():
            # What cannot be had now is asked for again by name, and then counts.
            if result.exception() is None and (found := result.result()) is not None:
                _write(ahead / other, found)
    if data is None:
        return False
    _write(target, data)
    return True


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - into the log of Postgres


def main(arguments: Iterable[str]) -> int:
    """Do one thing; the exit code is what Postgres goes by."""
    verb, *rest = arguments
    system = system_of(Path.cwd())
    if verb == "archive":
        path, name = rest
        try:
            archive(Bucket.of_environment(), system, Path(path), name)
        except Exception as error:
            _say(f"{name} not archived: {type(error).__name__}: {error}")
            return MISSING
        return 0
    name, path, ahead = rest
    try:
        found = fetch_ahead(Bucket.of_environment(), system, name, Path(path), Path(ahead))
    except Exception as error:
        _say(f"{name} not fetched: {type(error).__name__}: {error}")
        return ABORT
    return 0 if found else MISSING


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
