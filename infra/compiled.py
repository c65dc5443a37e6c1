"""The same program, compiled: a copy of the sources in which mypyc has made extension modules of some (docs/adr/0017).

Only what was made of exactly the sources here counts, so nobody runs yesterday's program: where one file or library
differs, or Python does, processes run what is written here. How it is made: infra/compiling.py.
"""

import hashlib
import os
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PLACE: Final = ".compiled"
PACKAGES: Final = ("collab", "infra", "models")
"""What is copied: a compiled module relies on the types of those that it calls, compiled or not."""

FILES: Final = ("pyproject.toml", "uv.lock")


def key(root: Path = ROOT) -> str:
    """What the copy of these sources is called."""
    digest = hashlib.sha256(f"{sys.version} {sysconfig.get_platform()}".encode())
    files = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    for path in sorted([*files, *(root / name for name in FILES)]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def find(root: Path = ROOT) -> Path | None:
    """The compiled copy of these sources, if there is one."""
    if not (root / PLACE).is_dir():
        return None
    copy = root / PLACE / key(root)
    return copy if copy.is_dir() else None


def become(module: str) -> None:
    """Go on as `module` of the compiled copy, as the same process; where there is none, return."""
    if (copy := find()) is not None:
        path = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(copy), path)))
        command = [sys.executable, "-P", "-m", module, *sys.argv[1:]]
        os.execv(sys.executable, command)  # noqa: S606 - there is nothing for a shell to do


def is_compiled(module: ModuleType) -> bool:
    """Whether a module is machine code."""
    return not str(module.__file__).endswith(".py")
