"""The inside of a cage (infra/cage.py): answers requests on an inherited socket until the other end is gone.

Imports nothing but the standard library, so that a new one is there at once.
"""

import ctypes
import mmap
import resource
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from typing import Final

LENGTH: Final = struct.Struct("!I")
NOTE: Final = struct.Struct("=Q")
NOTE_BYTES: Final = mmap.PAGESIZE
STACK_BYTES: Final = 256 * 1024 * 1024
SMALL_BYTES: Final = 16 * 1024
"""What is nested in a request of this size cannot fill more than a few megabytes of stack."""
_PR_SET_PDEATHSIG: Final = 1

Note = Callable[[int], None]
"""Tells the other end what is being worked on, so that it is known after a crash."""


def serve(answer: Callable[[bytes, Note], bytes]) -> None:
    """Answer request after request, on a deep stack; `sys.argv` names the socket, the note and the memory limit."""
    requests, note_fd, memory = (int(argument) for argument in sys.argv[1:4])
    _settle_in(memory)
    board = mmap.mmap(note_fd, NOTE_BYTES)
    line = socket.socket(fileno=requests)
    threading.stack_size(STACK_BYTES)

    def note(what: int) -> None:
        NOTE.pack_into(board, 0, what)

    more = True

    def work() -> None:
        nonlocal more
        while more:
            request = _receive(line)
            if request is None:
                more = False
                return
            reply = answer(request, note)
            note(0)
            line.sendall(LENGTH.pack(len(reply)) + reply)
            if len(request) > SMALL_BYTES:
                return  # a new thread has a new stack: pages that deep recursion has touched go back

    while more:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join()


def _settle_in(memory: int) -> None:
    """Die with whoever started this and not before; never take more memory than allowed; leave no core."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # whoever started this decides when it ends
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _receive(line: socket.socket) -> bytes | None:
    head = _exactly(line, LENGTH.size)
    return None if head is None else _exactly(line, LENGTH.unpack(head)[0])


def _exactly(line: socket.socket, size: int) -> bytes | None:
    if size <= 65536:
        data = line.recv(size, socket.MSG_WAITALL) if size else b""
        if len(data) == size:
            return data
    else:
        data = b""
    whole = bytearray(size)
    whole[: len(data)] = data
    view, at = memoryview(whole)[len(data) :], 0
    while at < len(view):
        got = line.recv_into(view[at:])
        if not got:
            return None
        at += got
    return bytes(whole)
