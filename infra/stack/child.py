"""Become a service: give up root where asked, tie its life to the supervisor's, then exec it.

Run as a script by `process.spawn`, with nothing but the standard library:
`child.py SUPERVISOR_PID DEATH_SIGNAL UID COMMAND…`. Doing this in a fresh interpreter instead of
between fork and exec keeps the supervisor free of code that runs in a forked copy of its threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_KEEP_UID = -1


def main(supervisor: int, death_signal: int, uid: int, *command: str) -> None:
    """Replace this process by the command."""
    os.umask(0o077)
    if uid != _KEEP_UID:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    # After every change of user: the kernel forgets the death signal at each.
    _die_with_parent(death_signal)
    if os.getppid() != supervisor:
        raise SystemExit("the supervisor is gone")
    os.execv(command[0], command)  # noqa: S606 - there is nothing for a shell to do


def _die_with_parent(signal_number: int) -> None:
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number) != 0:
        raise SystemExit("prctl(PR_SET_PDEATHSIG) failed")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
