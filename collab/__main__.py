"""`python -m collab`: runs the WebSocket door until SIGTERM or SIGINT.

The event loop runs in a thread of its own, for its stack: see infra/bigstack.py. Signals reach the main thread.
"""

import asyncio
import signal
import sys
import threading
from concurrent.futures import Future

import uvloop

from collab.app import Door
from infra import bigstack
from infra.logging import configure, get_logger
from infra.settings import get_settings

log = get_logger(__name__)


def main() -> int:
    """The exit status: 0 when everything was saved."""
    configure("collab")
    result: Future[bool] = Future()
    stopping = threading.Event()
    bigstack.start_thread(lambda: _run(result, stopping), "collab")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    try:
        return 0 if result.result() else 1
    except Exception as error:
        log.critical("collab cannot run", error=repr(error))
        return 1


def _run(result: "Future[bool]", stopping: threading.Event) -> None:
    try:
        result.set_result(uvloop.run(_serve(stopping)))
    except BaseException as error:  # this thread ends here; the main thread tells
        result.set_exception(error)


async def _serve(stopping: threading.Event) -> bool:
    stop = asyncio.Event()
    waiting = asyncio.create_task(_forward(stopping, stop))
    try:
        return await Door(get_settings()).run(stop)
    finally:
        waiting.cancel()


async def _forward(stopping: threading.Event, stop: asyncio.Event) -> None:
    while not stopping.is_set():
        await asyncio.sleep(0.05)
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
