"""Whom a request leads to which conversation, and what its tokens and cookies are worth."""

from collections.abc import Awaitable, Mapping
from typing import Final
from urllib.parse import unquote
from uuid import UUID

from collab import access
from collab.admission import Admission
from collab.dialogue import Hocuspocus, LetIn, YWebsocket
from collab.protocol import Close
from collab.rooms import Rooms
from collab.seat import CannotOpen, Guest, Line
from infra.db import Database
from infra.settings import Settings
from infra.tokens import Signer

PATH: Final = "/collab"


class Reception:
    """Receives sockets."""

    def __init__(self, settings: Settings, signer: Signer, db: Database, rooms: Rooms, admission: Admission) -> None:
        self._settings = settings
        self._signer = signer
        self._db = db
        self._rooms = rooms
        self._admission = admission

    def receive(self, line: Line, path: str, query: str, headers: Mapping[str, str]) -> YWebsocket | Hocuspocus | None:
        """The conversation for a request: `/collab` is Hocuspocus, `/collab/{document_id}` y-websocket."""
        let_in = self._let_in(headers)
        if path.rstrip("/") == PATH:
            return Hocuspocus(self._rooms, line, let_in)
        if not path.startswith(PATH + "/"):
            return None
        asked: dict[str, str] = {}
        for part in query.split("&"):
            name, _, value = part.partition("=")
            asked.setdefault(name, unquote(value))
        return YWebsocket(
            self._rooms,
            line,
            let_in,
            document=unquote(path.removeprefix(PATH + "/")),
            token=asked.get("token", ""),
            ack=asked.get("ack") == "1",
        )

    def _let_in(self, headers: Mapping[str, str]) -> LetIn:
        """A token counts whatever page it comes from; without one the cookie does, from pages of our own."""
        if "cookie" not in headers:
            return self._by_token
        claims = access.cookie_claims(self._signer, self._settings, headers)

        def let_in(token: str, document_id: UUID) -> Guest | Awaitable[Guest]:
            if token or claims is None:
                return self._by_token(token, document_id)
            return access.cookie_guest(self._db, claims, document_id)

        return let_in

    def _by_token(self, token: str, document_id: UUID) -> Guest | Awaitable[Guest]:
        if not token:
            raise CannotOpen(Close.WHO_ARE_YOU, "no token")
        guest = access.token_guest(self._signer, token, document_id)
        confirmed = self._admission.confirm(guest)
        if not isinstance(confirmed, Guest):
            self._rooms.expect(guest)
        return confirmed
