"""The process of the WebSocket door: it runs until SIGTERM or SIGINT.

The event loop runs in a thread of its own, for its stack: see infra/bigstack.py. Signals reach the main thread.
"""

import asyncio
import gc
import signal
from collections.abc import Callable
from concurrent.futures import Future

import uvloop

from collab.app import Door
from collab.handshake import Loop
from infra import bigstack, tracing
from infra.logging import configure, get_logger
from infra.settings import get_settings

log = get_logger(__name__)


def main() -> int:
    """The exit status: 0 when everything was saved."""
    configure("collab")
    tracing.configure("collab", get_settings().otlp_endpoint)
    started: Future[Callable[[], None]] = Future()
    ended: Future[bool] = Future()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: started.add_done_callback(_stop))
    bigstack.start_thread(lambda: _run(started, ended), "collab")
    try:
        return 0 if ended.result() else 1
    except Exception as error:
        log.critical("collab cannot run", error=repr(error))
        return 1


def _stop(started: "Future[Callable[[], None]]") -> None:
    started.result()()


def _run(started: "Future[Callable[[], None]]", ended: "Future[bool]") -> None:
    try:
        ended.set_result(uvloop.run(_serve(started), loop_factory=Loop))
    except BaseException as error:  # this thread ends here; the main thread tells
        ended.set_exception(error)


def _collect_seldom() -> None:
    # An edit makes a dozen objects, and all of them go without a cycle: looking for cycles every 700 costs 5 %.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _serve(started: "Future[Callable[[], None]]") -> bool:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    door = Door(get_settings())
    _collect_seldom()
    started.set_result(lambda: _call(loop, stop))
    return await door.run(stop)


def _call(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)
