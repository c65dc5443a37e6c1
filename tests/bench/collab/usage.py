"""What processes have used, from /proc: processor time and memory, of a process and everything it started."""

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_PARENT, _USER, _SYSTEM, _WAITED_USER, _WAITED_SYSTEM = 1, 11, 12, 13, 14
"""Fields of /proc/PID/stat behind the name."""


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, of its descendants, and of those that have ended."""
    ticks = 0
    for member in tree(pid):
        fields = _stat(member)
        ticks += sum(int(fields[at]) for at in (_USER, _SYSTEM, _WAITED_USER, _WAITED_SYSTEM) if fields)
    return ticks / _TICKS


def rss_bytes(pid: int) -> int:
    """Resident memory of a process and of its descendants."""
    total = 0
    for member in tree(pid):
        try:
            total += int(Path(f"/proc/{member}/statm").read_text().split()[1]) * _PAGE
        except OSError:
            continue
    return total


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        found.append(member := queue.pop())
        queue += children.get(member, [])
    return found


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
