"""`python -m flows`: one worker process of the pipeline."""

import asyncio
import os
import signal
import threading
import time

from flows import health, runtime
from flows.dispatch import Dispatcher
from infra import logging, tracing
from infra.settings import get_settings

SIGNALS = {signal.SIGTERM, signal.SIGINT}

EXIT_SECONDS = 9.0

log = logging.get_logger(__name__)


async def work() -> None:
    """Serve the outbox until a signal comes."""
    async with runtime.opened() as opened:
        dispatcher = Dispatcher(opened)
        _stop_on_signal(asyncio.get_running_loop(), dispatcher.stop)
        server = health.server(dispatcher)
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve())
            log.info("working", port=opened.settings.flows_port)
            await dispatcher.run()
            server.should_exit = True
            await serving
    tracing.finish()
    log.info("stopped")


def _stop_on_signal(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set an event when a signal comes, and see to it that the process ends soon after.

    Not by a handler: while a flow runs Prefect puts its own in place, which raises in the middle
    of whatever is going on. So the signals are blocked (`main`) and a thread waits for them.
    """

    def wait() -> None:
        signal.sigwait(SIGNALS)
        loop.call_soon_threadsafe(stop.set)
        # By now everything is done or given back. Threads that a store does not answer would keep
        # the process for minutes: nothing depends on them.
        time.sleep(EXIT_SECONDS)
        os._exit(0)

    threading.Thread(target=wait, name="signals", daemon=True).start()


def main() -> None:
    """Run a worker; exits with 0 when it was asked to stop."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    logging.configure("flows")
    tracing.configure("flows", get_settings().otlp_endpoint)
    asyncio.run(work())


if __name__ == "__main__":
    main()
