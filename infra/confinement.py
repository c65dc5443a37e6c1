"""Runs a program that must not be trusted: no network, its own directory only, little memory and time.

A script of its own that needs nothing but the standard library: `python -I confinement.py LIMITS -- PROGRAM …` limits
itself and then becomes the program. See `infra/sandbox.py` for how it is used.
"""

import ctypes
import json
import os
import resource
import signal
import struct
import sys

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38

# Landlock: the numbers of its system calls are the same everywhere.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights there are on files, by version; 16 since version 5."""
TCP = 3  # to bind and to connect
TCP_SINCE = 4

_libc = ctypes.CDLL(None, use_errno=True)


def confine(limits: dict[str, object]) -> None:
    """Limit this process and whatever it becomes; `limits` is what `infra/sandbox.py` says."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, kind in (
        ("cpu_seconds", resource.RLIMIT_CPU),
        ("file_bytes", resource.RLIMIT_FSIZE),
        ("files", resource.RLIMIT_NOFILE),
        ("memory_bytes", resource.RLIMIT_AS),
        ("data_bytes", resource.RLIMIT_DATA),
    ):
        limit = limits.get(name)
        if isinstance(limit, int):
            resource.setrlimit(kind, (limit, limit))
    has_no_network = _leave_network()
    readable, writable = limits["readable"], limits["writable"]
    assert isinstance(readable, list)
    assert isinstance(writable, list)
    is_walled = _wall_off(readable, writable)
    if limits.get("strict") and not (has_no_network and is_walled):
        raise SystemExit("this kernel cannot confine a process: it needs namespaces and Landlock")


def _leave_network() -> bool:
    """Into an empty network of its own; as an ordinary user that takes a user namespace as well."""
    if _libc.unshare(CLONE_NEWNET) == 0:
        return True
    return bool(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)


def _wall_off(readable: list[str], writable: list[str]) -> bool:
    """Let nothing but these directories be reached, where the kernel has Landlock."""
    version = _libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_VERSION)
    if version < 1:
        return False
    rights = (1 << FILE_RIGHTS.get(version, 16)) - 1
    rules = struct.pack("=Q", rights) + (struct.pack("=Q", TCP) if version >= TCP_SINCE else b"")
    ruleset = _libc.syscall(CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    for paths, allowed in ((readable, EXECUTE | READ_FILE | READ_DIR), (writable, rights & ~EXECUTE)):
        for path in paths:
            _allow(ruleset, path, allowed & rights)
    return bool(_libc.syscall(RESTRICT_SELF, ruleset, 0) == 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):
        rights &= ON_FILES
    rule = struct.pack("=Qi", rights, place)
    _libc.syscall(ADD_RULE, ruleset, BENEATH, rule, 0)
    os.close(place)


def main() -> None:
    """Confine this process and become the program."""
    limits, separator, *program = sys.argv[1:]
    assert separator == "--"
    confine(json.loads(limits))
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
