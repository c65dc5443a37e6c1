"""A socket as rooms and conversations see it: what is written is collected, and who reads slowly lags.

What is said is understood in collab/dialogue.py; picows is collab/connection.py's business.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from picows import WSTransport

from collab import protocol
from collab.allowance import Allowance
from collab.metrics import Metrics
from collab.protocol import Close
from collab.seat import Line
from collab.tick import Tick
from models.lib0 import ProtocolError

HIGH_WATER: Final = 256 * 1024
"""With so much unread a client lags: it is sent nothing more that it can be sent in one piece later."""
LOW_WATER: Final = 32 * 1024
QUIET_SECONDS: Final = 20.0
"""Both providers hang up when they hear nothing for 30 s."""
DEAD_SECONDS: Final = 60.0
ADMIT_SECONDS: Final = 30.0
"""A socket that was not admitted to any document by then is closed."""
CLOSE_SECONDS: Final = 1.0
READ_RATE: Final = 2 * 1024 * 1024.0
"""Bytes a second that are read from one client, and how many at once; who sends more has to wait."""
READ_BURST: Final = 16 * 1024 * 1024.0
MESSAGE_COSTS: Final = 256
"""What a message counts for beside its bytes."""
WAIT_AT_MOST: Final = 5.0
WIDE: Final = 256 * 1024
"""A message of this size leaves its socket with a read buffer of up to 2 MiB, for as long as it is open."""
WIDE_AT_MOST: Final = 64
"""So many such sockets may be idle; beyond that, whoever has been longest so is asked to connect again."""


class Dialogue:
    """The conversation on a socket. This one says nothing, and does not listen."""

    __slots__ = ("admitted",)

    def __init__(self) -> None:
        self.admitted = False
        """Whether anybody was admitted to any document yet."""

    def begin(self) -> None:
        """The socket is open."""

    def hear(self, message: bytes) -> None:
        """A message came."""

    def pause(self) -> None:
        """The client begins to lag."""

    def resume(self) -> None:
        """The client has read what it was sent."""

    def keep_alive(self) -> None:
        """Nothing was written for a while: say something harmless."""

    def end(self) -> None:
        """The socket is closed."""


_OVER: Final = Dialogue()


def narrow(sockets: Iterable["Socket"]) -> None:
    """Have the sockets connect again that keep a large read buffer for longest, if there are too many."""
    wide = sorted((since, id(socket), socket) for socket in sockets if (since := socket.wide_since) is not None)
    for _, _, socket in wide[: max(0, len(wide) - WIDE_AT_MOST)]:
        socket.hang_up(Close.TRY_AGAIN, "please connect again")


class Socket(Line):
    """One WebSocket."""

    __slots__ = (
        "_allowance",
        "_closing",
        "_due",
        "_heard",
        "_metrics",
        "_opened",
        "_out",
        "_progressed",
        "_resting",
        "_sockets",
        "_tick",
        "_transport",
        "_unread",
        "_wide_since",
        "_write",
        "_wrote",
        "deaf",
        "dialogue",
    )

    def __init__(self, tick: Tick, metrics: Metrics, sockets: set["Socket"]) -> None:
        super().__init__()
        self.deaf = False
        self._tick = tick
        self._metrics = metrics
        self._sockets = sockets
        self._transport: WSTransport | None = None
        self._write: Callable[[bytes], object] = _nowhere
        self.dialogue = _OVER
        self._out: list[bytes] = []
        self._due = self._closing = self._resting = False
        self._opened = self._heard = self._wrote = self._progressed = time.monotonic()
        self._unread = 0
        self._allowance = Allowance(READ_RATE, READ_BURST, self._opened)
        self._wide_since: float | None = None

    @property
    def wide_since(self) -> float | None:
        """Since when it has a large read buffer that it does not need."""
        return self._wide_since

    # --- its life ---

    def opened(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport
        self._write = transport.underlying_transport.write
        transport.underlying_transport.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)
        self._sockets.add(self)
        self._metrics.sockets = len(self._sockets)
        self.dialogue.begin()

    def closing(self) -> None:
        """The client says goodbye: nothing more is heard or written."""
        self._closing = True

    def closed(self) -> None:
        """The socket is gone."""
        self._closing = True
        self._out.clear()
        self._sockets.discard(self)
        self._metrics.sockets = len(self._sockets)
        self.dialogue.end()
        # They refer to each other: without this only the garbage collector would free them, thousands at once.
        self.dialogue = _OVER
        self._transport = None
        self._write = _nowhere

    def pause(self) -> None:
        """The client reads slower than it is written to."""
        if not self.lagging and not self._closing:
            self._metrics.slow_readers_total += 1
            self.dialogue.pause()
            self.lagging = True

    def resume(self) -> None:
        """The client has caught up."""
        if self.lagging and not self._closing:
            self.lagging = False
            self.dialogue.resume()

    def alive(self) -> None:
        """The client has answered a ping."""
        self._heard = time.monotonic()

    # --- reading ---

    def hear(self, message: bytes) -> None:
        """A message came; what it says must not raise through picows, which would say 1011."""
        if self._closing or self.deaf:
            return
        self._metrics.frames_in_total += 1
        self._heard = now = time.monotonic()
        if len(message) >= WIDE:
            self._wide_since = now
        if wait := self._allowance.take(len(message) + MESSAGE_COSTS, now):
            self._rest(min(wait, WAIT_AT_MOST))
        try:
            self.dialogue.hear(message)
        except ProtocolError as error:
            self._metrics.refused_total += 1
            code = Close.FORBIDDEN if isinstance(error, protocol.ServerOnly) else Close.MALFORMED
            self.hang_up(code, str(error))

    def _rest(self, seconds: float) -> None:
        """Read nothing for a while: the client's own buffers fill, and it waits."""
        transport = self._transport
        if transport is not None and not self._resting:
            self._resting = True
            self._metrics.throttled_total += 1
            transport.underlying_transport.pause_reading()
            self._tick.later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._resting = False
        if self._transport is not None and not self._closing:
            self._transport.underlying_transport.resume_reading()

    # --- writing ---

    def write(self, frame: bytes) -> None:
        """Send a frame with the others of this tick; dropped while the client lags."""
        if self.lagging:
            return
        if not self._due:  # as `say`, which would be one call more for each edit and reader
            self._due = True
            self._tick.add(self)
        self._out.append(frame)

    def say(self, frame: bytes) -> None:
        """Send a frame that cannot be made up for."""
        if not self._due:
            self._due = True
            self._tick.add(self)
        self._out.append(frame)

    def write_soon(self, frames: bytes) -> None:
        """Send these with the next frame, or within some milliseconds; dropped while the client lags."""
        if self.lagging:
            return
        if not self._out:
            self._tick.add_soon(self)
        self._out.append(frames)

    def flush(self) -> None:
        """Write everything in one go."""
        out, self._due = self._out, False
        frames = out[0] if len(out) == 1 else b"".join(out)
        out.clear()  # also what comes too late to be written
        if frames and self._transport is not None and not self._closing:
            self._wrote = time.monotonic()
            self._write(frames)

    def hang_up(self, code: Close, reason: str) -> None:
        """Close the socket, after what is to be written."""
        transport = self._transport
        if self._closing or transport is None:
            return
        self.flush()
        self._closing = True
        transport.send_close(code, reason)  # type: ignore[arg-type]  # any number will do
        self._tick.later(CLOSE_SECONDS, lambda: transport.disconnect(False))

    def check(self, now: float, stuck: float) -> None:
        """Called now and then: keep the socket alive, or cut it off, if nothing was read for `stuck` seconds."""
        if self._transport is None or self._closing:
            return
        unread = self._transport.underlying_transport.get_write_buffer_size()
        if unread < self._unread or not unread:
            self._progressed = now
        self._unread = unread
        if now - self._progressed > stuck or now - self._heard > DEAD_SECONDS:
            self._transport.disconnect(False)
        elif now - self._opened > ADMIT_SECONDS and not self.dialogue.admitted:
            self.hang_up(Close.TIMEOUT, "nobody signed in")
        elif now - self._heard > QUIET_SECONDS:
            self._transport.send_ping()
        if now - self._wrote > QUIET_SECONDS:
            self.dialogue.keep_alive()


def _nowhere(_frame: bytes) -> None:
    """Where a socket writes that is not open."""
