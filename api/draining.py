"""The end of a process, without a failed request: it goes on answering for a while, and sends everybody elsewhere.

A balancer needs a moment to see that a process is not ready any more, and clients keep connections that the process
would close just as they send the next request. So on SIGTERM it says 503 at `/readyz` and `Connection: close` with
every answer, for `DOXIE_DRAIN_SECONDS`; then it answers what is under way, and ends.
"""

import asyncio
from types import FrameType

import uvicorn

_begun = asyncio.Event()


def begun() -> bool:
    """Whether this process is about to end."""
    return _begun.is_set()


class Server(uvicorn.Server):
    """Uvicorn that takes so many seconds for its goodbye. A second signal is not waited for."""

    def __init__(self, config: uvicorn.Config, seconds: float) -> None:
        super().__init__(config)
        self._seconds = seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        if self._seconds and not begun():
            _begun.set()
            loop = asyncio.get_running_loop()
            loop.call_soon_threadsafe(loop.call_later, self._seconds, super().handle_exit, sig, frame)
        else:
            super().handle_exit(sig, frame)
