"""Small private files: written whole or not at all, readable by their owner only."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; a reader sees the old text or the new, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Write a dotenv file: double-quoted values, a newline in one as `\\n`."""
    write_private(path, "".join(f"{name}={json.dumps(value)}\n" for name, value in values.items()))


def read_env(path: Path) -> dict[str, str]:
    """The variables of a file written by `write_env`; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): _unquoted(value.strip()) for name, _, value in pairs}


def _unquoted(value: str) -> str:
    return str(json.loads(value)) if value.startswith('"') else value
