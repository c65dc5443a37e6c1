"""`./doxie up --detach` and `./doxie down`: a supervisor in the background, watched from here."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from infra.stack import home as homes
from infra.stack import lock, logs
from infra.stack.errors import StackError
from infra.stack.home import Home
from infra.stack.plan import module

READY = "ready"
DOWN_SECONDS = 90.0


def start(path: Path | None, options: Sequence[str]) -> None:
    """Start a supervisor in the background and show its progress until the stack is ready.

    Raises:
        StackError: it did not become ready; nothing is left running.
    """
    home = homes.create(path)
    log = home.log("supervisor")
    logs.rotate(log)
    offset = logs.size(log)
    receiver, sender = os.pipe()
    command = [*module("infra.stack", "up", "--home", str(home.root), "--notify", str(sender)), *options]
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[sender],
        )
    os.close(sender)
    try:
        message = _verdict(receiver, log, offset)
    except KeyboardInterrupt:
        supervisor.send_signal(signal.SIGTERM)
        message = "stopped before it was ready"
    if message != READY:
        supervisor.wait()
        raise StackError(message or f"the supervisor died (see {log})")


def tell(descriptor: int | None, message: str) -> None:
    """Say to the waiting parent, if there is one, how the start ended."""
    if descriptor is not None:
        os.write(descriptor, message.encode())
        os.close(descriptor)


def stop(home: Home) -> bool:
    """Stop the running supervisor and wait until it is gone; false where none runs.

    Raises:
        StackError: it does not go.
    """
    pid = lock.holder(home)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while lock.holder(home) == pid:
        if time.monotonic() > deadline:
            raise StackError(f"the supervisor (pid {pid}) has not stopped in {DOWN_SECONDS:.0f} s")
        time.sleep(0.05)
    return True


def _verdict(receiver: int, log: Path, offset: int) -> str:
    """Copy the log to the screen until the supervisor says how it went."""
    while True:
        said, _, _ = select.select([receiver], [], [], 0.05)
        text, offset = logs.read_on(log, offset)
        typer.echo(text, nl=False)
        if said:
            return os.read(receiver, 65_536).decode()
