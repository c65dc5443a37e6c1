"""What is done after the answer, where the time it takes would tell something.

A failed sign-in is noted for an account that exists and for no other: done before the answer, it
would say which addresses have one.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from infra.logging import get_logger

log = get_logger(__name__)

_running: set[asyncio.Task[None]] = set()


def do(work: Coroutine[Any, Any, None]) -> None:
    """Do it soon. It is lost if the process is killed, and logged if it fails."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_done)


async def finish() -> None:
    """Wait for what is still to be done."""
    await asyncio.gather(*_running, return_exceptions=True)


def _done(task: asyncio.Task[None]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("could not be done after the answer", exc_info=error)
