"""The guard of a run: a process that outlives a killed supervisor and ends what that left."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from infra.stack import orphans


async def post(run: str) -> Process:
    """Start the guard. It waits for its standard input to close: for us to end, in whatever way."""
    command = (sys.executable, "-I", "-S", orphans.__file__, run)
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=DEVNULL, start_new_session=True)


async def dismiss(guard: Process) -> None:
    """Let it do its work and end."""
    if guard.stdin is not None:
        guard.stdin.close()
    await guard.wait()
