"""`python -m flows.worker`: runs deployments (schedules and rare work), each in a process of its own."""

import asyncio
import os
import signal
import socket
from contextlib import suppress

from prefect.settings import temporary_settings
from prefect.workers.process import ProcessWorker

from flows import environment
from infra import logging
from infra.settings import get_settings, home_dir

AT_ONCE = 2

log = logging.get_logger(__name__)


async def work() -> None:
    """Take runs from the pool until a signal comes."""
    # The processes it starts run somewhere else, and find everything by these.
    os.environ["DOXIE_HOME"] = str(home_dir())
    settings = get_settings()
    with temporary_settings(environment.api(settings.prefect_ui_url)):
        name = f"{socket.gethostname()}-{os.getpid()}"
        worker = ProcessWorker(
            work_pool_name=settings.work_pool, name=name, limit=AT_ONCE, create_pool_if_not_found=False
        )
        working = asyncio.create_task(worker.start(printer=lambda *_, **__: None))
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, working.cancel)
        log.info("working", pool=settings.work_pool)
        with suppress(asyncio.CancelledError):
            await working
    log.info("stopped")


def main() -> None:
    """Run a worker."""
    logging.configure("worker")
    asyncio.run(work())


if __name__ == "__main__":
    main()
