"""What fuzzing keeps: of each target a zip of the inputs that covered something new, and what it found."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
FINDINGS = FOLDER / "findings"
_OLD = (1980, 1, 1, 0, 0, 0)
"""The time of every file, so that the same inputs are the same zip."""


def read(name: str) -> list[bytes]:
    """The inputs that were kept."""
    path = _path(name)
    if not path.exists():
        return []
    with zipfile.ZipFile(path) as archive:
        return [archive.read(info) for info in archive.infolist()]


def write(name: str, inputs: Sequence[bytes]) -> None:
    """Keep these."""
    _path(name).parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(_path(name), "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(inputs):
            archive.writestr(zipfile.ZipInfo(str(number), _OLD), data, zipfile.ZIP_DEFLATED)


def findings(name: str) -> list[bytes]:
    """The inputs that were once too much."""
    return [path.read_bytes() for path in sorted((FINDINGS / name).glob("*"))]


def _path(name: str) -> Path:
    return FOLDER / "corpus" / f"{name}.zip"
