"""Sockets without a network: what a room writes is kept."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pycrdt

from collab import errands
from collab.protocol import Close
from collab.room import Room
from collab.seat import Guest, Line, Seat
from models.yjs import keeper, wire
from models.yjs.wire import Did, Do

ORG = UUID(int=1)
DOCUMENT = UUID(int=2)


class Wire(Line):
    """A line that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[bytes] = []
        self.closed: Close | None = None

    def write(self, frame: bytes) -> None:
        if not self.lagging:
            self.say(frame)

    def write_soon(self, frames: bytes) -> None:
        self.write(frames)

    def say(self, frame: bytes) -> None:
        self.frames += apart(frame)

    def hang_up(self, code: Close, reason: str) -> None:
        self.closed = code

    def take(self) -> list[bytes]:
        """The bodies written since the last time."""
        taken, self.frames = self.frames, []
        return [payload(frame) for frame in taken]


def apart(frames: bytes) -> Iterator[bytes]:
    """Server frames that were written in one go."""
    while frames:
        start = head(frames)
        length = int.from_bytes(frames[2:start], "big") if start > 2 else frames[1]
        yield frames[: start + length]
        frames = frames[start + length :]


def payload(frame: bytes) -> bytes:
    """What a server frame carries."""
    return frame[head(frame) :]


def head(frame: bytes) -> int:
    """Where its payload begins."""
    assert frame[0] == 0x82
    return {126: 4, 127: 10}.get(frame[1], 2)


def seat(
    room: Room, *, user: int = 3, may_write: bool = True, address: bytes = b"", joined: bool = True
) -> tuple[Seat, Wire]:
    """Somebody at a room, and their line."""
    wire = Wire()
    guest = Guest(UUID(int=user), UUID(int=user + 100), ORG, DOCUMENT, may_write)
    taken = Seat(wire, guest, address, wants_status=True)
    if joined:
        room.join(taken)
    return taken, wire


def room(*stored: bytes) -> Room:
    """A loaded room; its keeper is this process."""
    made = Room(DOCUMENT, ORG, stir=lambda _: None)
    load(made, *stored)
    return made


def load(into: Room, *stored: bytes) -> None:
    """Give a room its Doc."""
    body = b"\0" + wire.several(stored)
    [(did, _)] = wire.answers(keeper.answer(wire.errand(Do.LOAD, into.number, body), lambda _: None))
    assert did is Did.DONE
    into.opened(len(stored))


def settle(some: Room) -> bool:
    """Do the errands of a room; False if that cost its Doc."""
    request = b"".join(errands.write(some.number, errand) for errand in some.errands())
    return some.answered(wire.answers(keeper.answer(request, lambda _: None)))


class Editor:
    """A client's Doc that hands out its updates one by one."""

    def __init__(self, client: int) -> None:
        self.doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=client)
        self.text = self.doc.get("text", type=pycrdt.Text)

    def type(self, text: str, index: int | None = None) -> bytes:
        return self._made(lambda: self.text.insert(len(self.text) if index is None else index, text))

    def erase(self, start: int, end: int) -> bytes:
        return self._made(lambda: self.text.__delitem__(slice(start, end)))

    def _made(self, change: Callable[[], None]) -> bytes:
        """The change alone, as a client sends it."""
        made: list[bytes] = []
        watch = self.doc.observe(lambda event: made.append(event.update))
        change()
        self.doc.unobserve(watch)
        return made[0]


def text_of(update: bytes) -> str:
    """The text in a document that is one update."""
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    doc.apply_update(update)
    return str(doc.get("text", type=pycrdt.Text))
