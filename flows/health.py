"""The worker's own small HTTP endpoint: /healthz, /readyz, /metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from flows import metrics, watching
from flows.dispatch import Dispatcher


class Server(uvicorn.Server):
    """Uvicorn inside a process that handles its signals itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def server(dispatcher: Dispatcher) -> Server:
    """The server of a worker; its `serve()` ends once `should_exit` is set."""
    settings = dispatcher.runtime.settings

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        state = {"postgres": await _answers(dispatcher)}
        # Without Prefect the work is done all the same, so it does not count.
        state["prefect"] = dispatcher.recorder is not None and await dispatcher.recorder.is_up()
        ready = state["postgres"] and dispatcher.recorder is not None and not dispatcher.stop.is_set()
        seen = watching.newest()
        # Old backups are an alarm, and no reason to take a worker out of service.
        backups = asdict(seen) if seen else None
        return JSONResponse({"ready": ready, **state, "backups": backups}, status_code=200 if ready else 503)

    async def text(_: Request) -> Response:
        return PlainTextResponse(await metrics.text(dispatcher.runtime, dispatcher.recorder))

    app = Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", text)])
    return Server(uvicorn.Config(app, settings.flows_host, settings.flows_port, log_config=None, access_log=False))


async def _answers(dispatcher: Dispatcher) -> bool:
    try:
        await dispatcher.runtime.db.ping()
    except Exception:
        return False
    return True
