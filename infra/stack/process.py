"""Start and stop one child process, whole: with its process group and its log."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CHILD = Path(__file__).with_name("child.py")

REPOSITORY = Path(__file__).resolve().parents[2]
"""Where every child runs, so that it finds the code and prefect.yaml."""


@dataclass(frozen=True, slots=True)
class Account:
    """As whom a child runs: a command that wraps it, or a user to become."""

    prefix: tuple[str, ...] = ()
    uid: int = -1


OWN = Account()
"""As whoever started the stack."""


async def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    death_signal: signal.Signals = signal.SIGKILL,
    account: Account = OWN,
) -> Process:
    """Start a command that gets the signal when this process dies; its output goes to the log.

    Call it from the main thread: the kernel ties a child to the thread that made it.
    """
    settings = (str(os.getpid()), str(int(death_signal)), str(account.uid))
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            *account.prefix,
            *(sys.executable, "-I", "-S", str(_CHILD)),
            *settings,
            *command,
            stdin=DEVNULL,
            stdout=descriptor,
            stderr=STDOUT,
            cwd=REPOSITORY,
            env=dict(environment),
            process_group=0,
        )
    finally:
        os.close(descriptor)


async def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    seconds: float,
    account: Account = OWN,
) -> int:
    """Run a command to its end and return its exit code; nothing of it is left, however this ends.

    Raises:
        TimeoutError: it took longer.
    """
    process = await spawn(command, environment=environment, log=log, account=account)
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    finally:
        kill_group(process.pid)
        await process.wait()


async def stop(process: Process, number: signal.Signals, seconds: float) -> None:
    """Ask a process to end, wait, then kill its whole group."""
    if process.returncode is None:
        process.send_signal(number)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
    kill_group(process.pid)
    await process.wait()


def kill_group(pid: int) -> None:
    """Kill what is left of a process group; no error where nothing is."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def ending(returncode: int | None) -> str:
    """How a process ended, in words."""
    if returncode is None:
        return "did not end"
    if returncode < 0:
        return f"was killed by {signal.Signals(-returncode).name}"
    return f"exited with code {returncode}"
