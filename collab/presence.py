"""Who looks at a document: awareness states, each bound to the socket that introduced it (pure).

The rules of y-protocols/awareness (a higher clock wins, null removes) with one more: only the owner of a client id may
speak for it. y-websocket clients send everything they hear back to the server, so foreign entries are no offence; they
are passed over. A client id that has gone is remembered for a while, or such an echo would bring it back to life.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Never

from models.lib0 import ProtocolError, read_bytes, read_varuint, varbytes, varuint

MAX_CLIENTS_PER_OWNER: Final = 16
MAX_ENTRIES: Final = 10_000
MAX_STATE: Final = 64 * 1024
OUTDATED_SECONDS: Final = 30.0  # as in y-protocols: clients renew their state every 15 s
REMEMBER_DEPARTED_SECONDS: Final = 60.0
_NULL: Final = b"null"

Entry = tuple[int, int, bytes]
"""Client id, clock, state as JSON."""


@dataclass(slots=True)
class State:
    """What a client last said about itself, and who may say more."""

    clock: int
    state: bytes
    owner: Any  # mypyc cannot make a dataclass with an `object`
    user: bytes
    heard: float


@dataclass(slots=True)
class Departed:
    """The last clock of a client id that has gone."""

    clock: int
    user: bytes
    when: float


class Presence:
    """The awareness of one document."""

    __slots__ = ("_departed", "states")

    def __init__(self) -> None:
        self.states: dict[int, State] = {}
        self._departed: dict[int, Departed] = {}

    def hear(self, update: bytes, *, owner: object, user: bytes, now: float) -> bytes:
        """Take in what `owner`, a socket of `user`, says; the part to relay, empty if nothing is new."""
        entries = parse(update)
        accepted = []
        for client, clock, state in entries:
            if self._may(client, clock, state, owner, user):
                check_state(state)
                self._set(client, State(clock, state, owner, user, now))
                accepted.append((client, clock, state))
        return update if len(accepted) == len(entries) else _encode_some(accepted)

    def hear_node(self, update: bytes, *, node: bytes, user: bytes, now: float) -> bytes:
        """Take in what another node has heard from its own sockets; the part to relay."""
        accepted = []
        for client, clock, state in parse(update):
            known = self.states.get(client)
            gone = state == _NULL and (known is None or known.owner != node)
            if gone or (known is not None and clock < known.clock + (state != _NULL)):
                continue
            self._set(client, State(clock, state, node, user, now))
            accepted.append((client, clock, state))
        return _encode_some(accepted)

    def leave(self, owner: object, now: float) -> bytes:
        """Forget everything `owner` introduced; the removal to relay, empty if there is nothing to remove."""
        return self._remove([client for client, state in self.states.items() if state.owner is owner], now)

    def expire(self, now: float) -> bytes:
        """Forget whom other nodes have not renewed; a local socket's states live as long as the socket."""
        for client, departed in list(self._departed.items()):
            if now - departed.when > REMEMBER_DEPARTED_SECONDS:
                del self._departed[client]
        outdated = [
            client
            for client, state in self.states.items()
            if isinstance(state.owner, bytes) and now - state.heard > OUTDATED_SECONDS
        ]
        return self._remove(outdated, now)

    def everyone(self) -> bytes:
        """All states as one awareness update, empty if nobody is there."""
        return _encode_some([(client, state.clock, state.state) for client, state in self.states.items()])

    def local(self) -> dict[bytes, bytes]:
        """An awareness update for each user with sockets at this node."""
        users: dict[bytes, list[Entry]] = {}
        for client, state in self.states.items():
            if not isinstance(state.owner, bytes):
                users.setdefault(state.user, []).append((client, state.clock, state.state))
        return {user: encode(entries) for user, entries in users.items()}

    def _may(self, client: int, clock: int, state: bytes, owner: object, user: bytes) -> bool:
        known = self.states.get(client)
        if known is None:
            return state != _NULL and self._may_introduce(client, clock, owner, user)
        if known.owner is owner:
            return clock > known.clock or (clock == known.clock and state == _NULL)
        # The same person's client on a new socket says something new; the same clock would be an echo.
        return known.user == user and clock > known.clock and state != _NULL

    def _may_introduce(self, client: int, clock: int, owner: object, user: bytes) -> bool:
        departed = self._departed.get(client)
        if departed is not None and clock <= departed.clock and user != departed.user:
            return False
        return sum(state.owner is owner for state in self.states.values()) < MAX_CLIENTS_PER_OWNER

    def _set(self, client: int, state: State) -> None:
        if state.state == _NULL:
            self.states.pop(client, None)
            self._departed[client] = Departed(state.clock, state.user, state.heard)
        else:
            self.states[client] = state
            self._departed.pop(client, None)

    def _remove(self, clients: list[int], now: float) -> bytes:
        gone = []
        for client in clients:
            state = self.states.pop(client)
            self._departed[client] = Departed(state.clock, state.user, now)
            gone.append((client, state.clock, _NULL))
        return _encode_some(gone)


def parse(update: bytes) -> list[Entry]:
    """The (client id, clock, state as JSON) in an awareness update; the states are not checked yet."""
    count, pos = read_varuint(update, 0)
    if count > MAX_ENTRIES:
        raise ProtocolError("too many awareness states")
    entries = []
    for _ in range(count):
        client, pos = read_varuint(update, pos)
        clock, pos = read_varuint(update, pos)
        state, pos = read_bytes(update, pos)
        entries.append((client, clock, state))
    return entries


def encode(entries: Iterable[Entry]) -> bytes:
    """An awareness update of these entries."""
    parts = [b"".join((varuint(client), varuint(clock), varbytes(state))) for client, clock, state in entries]
    return varuint(len(parts)) + b"".join(parts)


def _encode_some(entries: list[Entry]) -> bytes:
    return encode(entries) if entries else b""


def check_state(state: bytes) -> None:
    """Refuse what is not JSON: clients parse states without a guard, so it must not reach them."""
    if len(state) > MAX_STATE:
        raise ProtocolError("awareness state too big")
    try:
        json.loads(state.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ProtocolError("awareness state is not JSON") from None


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")
