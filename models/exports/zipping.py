"""A zip that is written piece by piece and can go on where another process stopped. Pure: bytes come out, no I/O."""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

Entry = dict[str, Any]
"""A file that is in the zip: what its directory has to say of it, and its SHA-256."""

LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Every file's time: the same content gives the same bytes."""


class _Sink:
    """What `zipfile` writes to: it cannot go back, only tell where it is."""

    def __init__(self, offset: int) -> None:
        self.taken = offset
        self.buffer = bytearray()

    def write(self, data: bytes, /) -> int:
        self.buffer += data
        return len(data)

    def tell(self) -> int:
        return self.taken + len(self.buffer)

    def flush(self) -> None:
        """There is nothing below."""

    def close(self) -> None:
        """What was written stays."""


class Zip:
    """A zip of which the bytes before `offset` are written already and hold `entries`."""

    def __init__(self, offset: int = 0, entries: Iterable[Entry] = ()) -> None:
        self._sink = _Sink(offset)
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self.entries: list[Entry] = []
        for entry in entries:
            self.entries.append(entry)
            self._zip.filelist.append(_info(entry))

    @property
    def waiting(self) -> int:
        """Bytes that nobody has taken."""
        return len(self._sink.buffer)

    def add(self, path: str, data: bytes, **about: Any) -> None:
        """One more file."""
        info = zipfile.ZipInfo(path, LONG_AGO)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, data)
        entry = {
            "path": path,
            "bytes": info.file_size,
            "sha256": hashlib.sha256(data).hexdigest(),
            "packed": info.compress_size,
            "crc": info.CRC,
            "offset": info.header_offset,
            "flags": info.flag_bits,
        }
        self.entries.append(entry | about)

    def take(self) -> bytes:
        """The bytes since the last time."""
        data = bytes(self._sink.buffer)
        self._sink.taken += len(data)
        self._sink.buffer.clear()
        return data

    def close(self) -> None:
        """Write the directory; it can be taken then."""
        self._zip.close()


def manifest(head: dict[str, Any], entries: Sequence[Entry]) -> bytes:
    """What the zip says of itself: its documents, and the SHA-256 of every other file in it."""
    documents = [entry["document"] for entry in entries if "document" in entry]
    files = [{name: entry[name] for name in ("path", "bytes", "sha256")} for entry in entries]
    whole = head | {"documents": documents, "files": files}
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _info(entry: Entry) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(entry["path"], LONG_AGO)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    info.file_size, info.compress_size, info.CRC = entry["bytes"], entry["packed"], entry["crc"]
    info.header_offset, info.flag_bits = entry["offset"], entry["flags"]
    return info
