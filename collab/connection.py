"""What picows tells about a WebSocket, in terms of ours: messages put together, pings answered, an end."""

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from collab import protocol
from collab.protocol import Close
from collab.sockets import Socket

# Python 3.11 takes as long for a member of an enum as for a call: those in every message have names of their own.
_BINARY, _TEXT, _PONG, _CLOSE = WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.PONG, WSMsgType.CLOSE


class Connection(WSListener):
    """Listens for a socket."""

    __slots__ = ("_hear", "_parts", "_socket")

    def __init__(self, socket: Socket) -> None:
        super().__init__()
        self._socket = socket
        self._hear = socket.hear
        self._parts: bytearray | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        del transport.request.path, transport.request.headers  # nobody asks again, and a socket lives for long
        self._socket.opened(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame came."""
        kind = frame.msg_type
        if kind == _BINARY and frame.fin and self._parts is None:
            self._hear(frame.get_payload_as_bytes())
        elif kind == _CLOSE:
            self._socket.closing()
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif kind == _PONG:
            self._socket.alive()
        elif kind == _TEXT:
            self._socket.hang_up(Close.MALFORMED, "only binary messages are understood")
        else:
            self._collect(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone."""
        self._socket.closed()

    def pause_writing(self) -> None:
        """The client reads slower than it is written to."""
        self._socket.pause()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._socket.resume()

    def _collect(self, frame: WSFrame) -> None:
        """Put together a message that came in several frames."""
        if (frame.msg_type == _BINARY) != (self._parts is None):
            self._socket.hang_up(Close.MALFORMED, "fragments out of order")
            return
        parts = self._parts if self._parts is not None else bytearray()
        parts += frame.get_payload_as_bytes()
        self._parts = None if frame.fin else parts
        if len(parts) > protocol.MAX_MESSAGE:
            self._socket.hang_up(Close.TOO_BIG, "message too big")
        elif frame.fin:
            self._hear(bytes(parts))
