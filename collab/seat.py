"""One client's place at one document (pure): a y-websocket socket has one seat, a Hocuspocus socket several."""

from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from collab import protocol
from collab.protocol import Close
from infra.bus import Revocation


@dataclass(frozen=True, slots=True)
class Link:
    """The link that somebody without an account came with."""

    id: UUID
    epoch: int
    """Which password of the link they knew."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who sits there, and what they may do: the claims of a collab token."""

    user_id: UUID
    """Of somebody with a link: of this visit alone, as `session_id`."""
    session_id: UUID | None
    org_id: UUID
    document_id: UUID
    may_write: bool
    link: Link | None = None
    author: tuple[UUID, UUID | None, str] = field(init=False, repr=False, compare=False)
    """Who the journal says has written, in which session, from where: of those with a link, the link."""

    def __post_init__(self) -> None:
        author = (self.link.id, self.session_id, "share") if self.link else (self.user_id, self.session_id, "socket")
        object.__setattr__(self, "author", author)

    def __hash__(self) -> int:
        """Without asking four UUIDs, in Python, for theirs."""
        return hash((self.user_id.int, self.document_id.int))


class CannotOpen(Exception):
    """This guest cannot have this document; the socket is to be closed with `code`."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@lru_cache(maxsize=4096)
def _saved(address: bytes) -> bytes:
    """The frame that answers an edit: one object for all who have the same address."""
    return protocol.frame(address, protocol.sync_status(saved=True))


class Line:
    """What a seat needs of its socket."""

    __slots__ = ("lagging",)

    def __init__(self) -> None:
        self.lagging = False
        """The client reads slower than it is written to: nothing that can be made up for is sent."""

    def write(self, frame: bytes) -> None:
        """Send a frame with the others of this loop tick; dropped while the line lags."""
        raise NotImplementedError

    def write_soon(self, frames: bytes) -> None:
        """The same, with the next frame that there is, or within some milliseconds."""
        raise NotImplementedError

    def say(self, frame: bytes) -> None:
        """Send a frame that cannot be made up for."""
        raise NotImplementedError

    def flush(self) -> None:
        """Have everything written that was sent."""
        raise NotImplementedError

    def hang_up(self, code: Close, reason: str) -> None:
        """Close the socket."""
        raise NotImplementedError


@dataclass(eq=False, slots=True)
class Seat:
    """A guest at a document, on a line."""

    line: Line
    guest: Guest
    address: bytes
    """What stands in front of every message to this seat; empty for y-websocket."""
    wants_status: bool
    """Whether the client understands SyncStatus."""
    seen: bytes = b"\x00"
    """While the line lags: the state vector of what the client has been sent, or said it has."""
    owed: int = 0
    """While the line lags: the "saved" answers to send afterwards."""
    _saved: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._saved = _saved(self.address)

    def concerned(self, revocation: Revocation) -> bool:
        """Whether the access of this guest may be what has changed."""
        guest = self.guest
        asked = (
            (revocation.user_id, guest.user_id),
            (revocation.session_id, guest.session_id),
            (revocation.org_id, guest.org_id),
            (revocation.document_id, guest.document_id),
        )
        return all(given in (None, own) for given, own in asked)

    def say(self, body: bytes) -> None:
        """Send this seat a message of its own."""
        self.line.say(protocol.frame(self.address, body))

    def saved(self, messages: int = 1) -> None:
        """Answer so many update messages: they are in the journal."""
        if self.wants_status:
            if self.line.lagging:
                self.owed += messages
            elif messages:
                self.line.write_soon(self._saved * messages)

    def unsaved(self) -> None:
        """Tell that something of this seat is not in the journal (yet)."""
        if self.wants_status and not self.line.lagging:
            self.say(protocol.sync_status(saved=False))

    def pay(self) -> None:
        """Send the answers that were owed while the line lagged."""
        owed, self.owed = self.owed, 0
        self.saved(owed)
