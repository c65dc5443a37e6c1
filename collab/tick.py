"""One write per socket and loop tick: frames are collected and flushed together."""

import asyncio
from collections.abc import Callable
from typing import Final

from collab.seat import Line

SOON_SECONDS: Final = 0.005


class Tick:
    """The sockets that have something to write in this tick of the loop."""

    __slots__ = ("_loop", "_some", "_soon")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._some: list[Line] = []
        self._soon: list[Line] = []

    def add(self, line: Line) -> None:
        """Flush this socket at the end of the tick; a socket adds itself once."""
        if not self._some:
            self._loop.call_soon(self._flush)
        self._some.append(line)

    def add_soon(self, line: Line) -> None:
        """Flush this socket within some milliseconds, with others that can wait; by then it may have nothing left."""
        if not self._soon:
            self._loop.call_later(SOON_SECONDS, self._flush_soon)
        self._soon.append(line)

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Call something after a while."""
        self._loop.call_later(seconds, call)

    def _flush(self) -> None:
        some, self._some = self._some, []
        for line in some:
            line.flush()

    def _flush_soon(self) -> None:
        soon, self._soon = self._soon, []
        for line in soon:
            line.flush()
