"""Checking an archive with nothing but the archive: `python -m models.exports.verifying FILE`.

The manifest lists every file and its SHA-256; each document's journal has the chain sha256(previous ‖ update) that its
`about.json` ends with; and the document made of the journal is the one in the other files.
"""

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import bigstack
from models.documents import crdt, journal
from models.documents.tables import GENESIS
from models.exports.archiving import FORMAT, LENGTH, render_files

CHUNK = 1024 * 1024
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with an archive: nothing, if all is well."""

    documents: int
    files: int
    problems: list[str]


async def verify_archive(path: Path) -> Verdict:
    """Every check there is."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            problems = list(_files(archive, manifest))
            for about in manifest["documents"]:
                folder = f"documents/{about['id']}"
                problems += [f"{folder}: {problem}" for problem in await _document(archive, folder, about)]
            return Verdict(len(manifest["documents"]), len(manifest["files"]), problems)
    except (zipfile.BadZipFile, OSError, KeyError, TypeError, ValueError) as error:
        return Verdict(0, 0, [f"this is no archive of Doxie: {error!r}"])


async def _document(archive: zipfile.ZipFile, folder: str, about: dict[str, Any]) -> list[str]:
    """What is wrong with one document. Its updates are applied where they can do no harm."""
    try:
        names = [name for name in archive.namelist() if name.startswith(f"{folder}/")]
        files = {name.removeprefix(f"{folder}/"): archive.read(name) for name in names}
        return await bigstack.run(lambda: list(_problems(files, about)))
    except Exception as error:  # whatever it is: the archive is not what it says
        return [repr(error)]


def _files(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Iterator[str]:
    if manifest["format"] != FORMAT:
        yield f"the format is {manifest['format']}, not {FORMAT}"
    listed = {file["path"]: file for file in manifest["files"]}
    names = archive.namelist()
    for name in sorted({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()):
        yield f"{name}: more than once"
    for name in sorted(set(names) ^ {*listed, MANIFEST}):
        yield f"{name}: " + ("not in the manifest" if name in names else "missing")
    for name in sorted(listed.keys() & set(names)):
        try:
            sha256, size = _digest(archive, name)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
            yield f"{name}: unreadable: {error}"
            continue
        if (sha256, size) != (listed[name]["sha256"], listed[name]["bytes"]):
            yield f"{name}: its content is not what the manifest says"


def _digest(archive: zipfile.ZipFile, name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _problems(files: dict[str, bytes], about: dict[str, Any]) -> Iterator[str]:
    if json.loads(files["about.json"]) != about:
        yield "about.json is not what the manifest says"
    payloads = list(_payloads(files["journal.bin"]))
    chain = GENESIS
    for payload in payloads:
        chain = journal.link(chain, payload)
    if (len(payloads), chain.hex()) != (about["seq"], about["chain"]):
        yield "the chain of the journal does not end as it says"
        return
    if about["error"] is not None:
        return
    applied = [payload for seq, payload in enumerate(payloads, 1) if seq not in about["quarantined"]]
    doc, stored = crdt.build(applied), crdt.build([files["document.yjs"]])
    if not crdt.same_clocks(doc, stored):
        yield "document.yjs is not what the journal makes"
    made, kept = render_files(doc), render_files(stored)
    for name, data in made.items():
        if not data == kept[name] == files[name]:
            yield f"{name} is not what the journal makes"


def _payloads(data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        (length,) = LENGTH.unpack_from(data, position)
        position += LENGTH.size
        if position + length > len(data):
            raise ValueError("the journal ends inside an update")
        yield data[position : position + length]
        position += length


async def main(path: str) -> int:
    """Say what was found; 1 if anything is wrong."""
    verdict = await verify_archive(Path(path))
    for problem in verdict.problems:
        print(problem, file=sys.stderr)  # noqa: T201 - a command
    good = f"{verdict.documents} documents and {verdict.files} files are what they say"
    print(f"{len(verdict.problems)} problems" if verdict.problems else good)  # noqa: T201
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    import asyncio

    raise SystemExit(asyncio.run(main(*sys.argv[1:])))
