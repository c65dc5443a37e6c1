"""The logs of the services: rotated at a start, summed up in one line, shown and followed."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
KEPT = 3

_TELLING = re.compile(r"\b(FATAL|PANIC|ERROR|CRITICAL|panic|\w*Error|error)\b")


def rotate(log: Path) -> None:
    """Move a log that has grown too long aside; the oldest of them goes."""
    if not log.exists() or log.stat().st_size < MAX_BYTES:
        return
    for number in range(KEPT - 1, 0, -1):
        older = log.with_suffix(f".log.{number}")
        if older.exists():
            older.replace(log.with_suffix(f".log.{number + 1}"))
    log.replace(log.with_suffix(".log.1"))


def size(log: Path) -> int:
    """How long the log is now: where the next run's part of it begins."""
    return log.stat().st_size if log.exists() else 0


def gist(log: Path, since: int = 0) -> str:
    """The line that best says why a service ended: the last that names an error, else the last."""
    with log.open("rb") as file:
        file.seek(since)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines or ["it wrote nothing"])[-1][:300]


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log."""
    return log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []


def follow(logs: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """Names and lines as they are written, from now on, without an end."""
    offsets = {name: size(log) for name, log in logs.items()}
    while True:
        for name, log in logs.items():
            if size(log) < offsets[name]:  # rotated
                offsets[name] = 0
            text, offsets[name] = read_on(log, offsets[name])
            yield from ((name, line) for line in text.splitlines())
        time.sleep(0.2)


def read_on(log: Path, offset: int) -> tuple[str, int]:
    """The whole lines written since the offset, and the offset after them."""
    if not log.exists():
        return "", offset
    with log.open("rb") as file:
        file.seek(offset)
        data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    return whole.decode(errors="replace"), offset + len(whole)
