"""The two conversations: a y-websocket client has one document, a Hocuspocus client any number on one socket."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final
from uuid import UUID

from collab import protocol
from collab.place import Place
from collab.protocol import Close, Said
from collab.rooms import Rooms
from collab.seat import CannotOpen, Guest, Line
from collab.sockets import Dialogue

MAX_DOCUMENTS: Final = 100
MAX_ID: Final = 64
_KEEPALIVE: Final = protocol.frame(b"", protocol.KEEPALIVE)

LetIn = Callable[[str, UUID], Guest | Awaitable[Guest]]
"""Which guest a token makes at a document, or what finds it out; raises CannotOpen, at once or when awaited."""


class YWebsocket(Dialogue):
    """One document, named and authorised by the URL."""

    __slots__ = ("_document", "_let_in", "_line", "_place", "_token")

    def __init__(self, rooms: Rooms, line: Line, let_in: LetIn, *, document: str, token: str, ack: bool) -> None:
        super().__init__()
        self.admitted = True  # or closed at once
        self._line = line
        self._let_in: LetIn | None = let_in
        self._document = document
        self._token = token
        self._place = Place(rooms, line, b"", wants_status=ack, turned_away=self._turned_away)

    def begin(self) -> None:
        """The socket is open: sit down, or be told why not in a way that a browser can see."""
        assert self._let_in is not None, "begins once"
        try:
            _admit(self._place, self._let_in, self._token, self._document)
        except CannotOpen as error:
            self._line.hang_up(error.code, error.reason)
        self._let_in, self._token, self._document = None, "", ""  # a socket lives for long

    def hear(self, message: bytes) -> None:
        """A message came."""
        said, argument = protocol.read(message)
        self._place.hear(said, argument)

    def pause(self) -> None:
        """The client begins to lag."""
        self._place.pause()

    def resume(self) -> None:
        """The client has caught up."""
        self._place.resume()

    def keep_alive(self) -> None:
        """Say something harmless."""
        self._line.say(_KEEPALIVE)

    def end(self) -> None:
        """The socket is closed."""
        self._place.leave()

    def _turned_away(self, _place: Place, code: Close, reason: str) -> None:
        self._line.hang_up(code, reason)


class Hocuspocus(Dialogue):
    """Any number of documents, each with a token of its own; nothing is heard about one before its token."""

    __slots__ = ("_let_in", "_line", "_places", "_rooms")

    def __init__(self, rooms: Rooms, line: Line, let_in: LetIn) -> None:
        super().__init__()
        self._rooms = rooms
        self._line = line
        self._let_in = let_in
        self._places: dict[bytes, Place] = {}

    def begin(self) -> None:
        """The socket is open: nothing to do until a token comes."""

    def hear(self, message: bytes) -> None:
        """A message came."""
        if message == protocol.PONG:
            return
        address, document, pos = protocol.read_address(message)
        said, argument = protocol.read(message, pos)
        place = self._places.get(address)
        if said is Said.TOKEN:
            self._knock(place, address, document, argument.decode(errors="replace"))
        elif place is None:
            return  # what an unknown client says does not count: after its token it starts over
        elif said is Said.LEAVE:
            del self._places[address]
            place.leave()
        else:
            place.hear(said, argument)

    def pause(self) -> None:
        """The client begins to lag."""
        for place in self._places.values():
            place.pause()

    def resume(self) -> None:
        """The client has caught up."""
        for place in self._places.values():
            place.resume()

    def keep_alive(self) -> None:
        """Say something harmless."""
        for address in self._places:
            self._line.say(protocol.frame(address, protocol.KEEPALIVE))
            return

    def end(self) -> None:
        """The socket is closed."""
        for place in self._places.values():
            place.leave()
        self._places.clear()

    def _knock(self, place: Place | None, address: bytes, document: str, token: str) -> None:
        if place is None and len(self._places) >= MAX_DOCUMENTS:
            self._deny(address, Close.FORBIDDEN, "too many documents on one socket")
            return
        try:
            if place is None:
                place = Place(self._rooms, self._line, address, wants_status=True, turned_away=self._turned_away)
                self._places[address] = place
                _admit(place, self._let_in, token, document)
                self.admitted = True
            elif token:
                place.admit_again(self._let_in(token, _document_id(document)))
        except CannotOpen as error:
            self._turned_away(place, error.code, error.reason)

    def _turned_away(self, place: Place | None, code: Close, reason: str) -> None:
        if place is not None:
            self._places.pop(place.address, None)
            place.leave()
            self._deny(place.address, code, reason)

    def _deny(self, address: bytes, code: Close, reason: str) -> None:
        """Hocuspocus closes documents, not sockets; but only a closed socket makes a client try again."""
        if code is Close.TRY_AGAIN:
            self._line.hang_up(code, reason)
        else:
            self._line.say(protocol.frame(address, protocol.denied(reason)))


def _admit(place: Place, let_in: LetIn, token: str, document: str) -> None:
    place.admit(let_in(token, _document_id(document)))


@lru_cache(maxsize=4096)  # a UUID takes longer to read than to look up, and a document has many visitors
def _document_id(text: str) -> UUID:
    try:
        if len(text) > MAX_ID:  # a UUID may be written with any number of hyphens, and what was read is remembered
            raise ValueError
        return UUID(text)
    except ValueError:
        raise CannotOpen(Close.NOT_FOUND, "no such document") from None
