"""Documents with people in them who type: each keystroke is followed until everybody has it and it is saved."""

import asyncio
from typing import Final

from models.lib0 import read_varuint
from tests.bench.collab import wire
from tests.bench.collab.client import Client, Target

_TYPED: Final = b"\x01a\x00"
SETTLE_SECONDS: Final = 0.3


class Writer:
    """Somebody who types on as soon as all others have what they typed."""

    def __init__(self, client: Client, code: bytes, others: int) -> None:
        self.client = client
        self.code = code
        self.clock = 0
        """Keystrokes so far."""
        self.delivered = 0
        """Those that all others have."""
        self.acknowledged = 0
        """Those the server has said to be saved."""
        self.typing = False
        self._others = others
        self._missing: list[int] = []

    def type(self) -> None:
        """One keystroke."""
        self._missing.append(self._others)
        clock, self.clock = self.clock, self.clock + 1
        self.client.say(wire.message(wire.edit(self.code, clock)))

    def saved(self) -> None:
        """The oldest keystroke that was not saved is."""
        self.acknowledged += 1

    def seen(self, clock: int) -> None:
        """One of the others has a keystroke."""
        self._missing[clock] -= 1
        if not self._missing[clock]:
            self.delivered += 1
            if self.typing:
                self.type()


class Party:
    """All writers on a server, and who sees what."""

    def __init__(self, *, acknowledged: bool) -> None:
        self.writers: dict[bytes, Writer] = {}
        self._acknowledged = acknowledged
        self.clients: list[Client] = []
        self._codes: dict[Client, bytes] = {}

    @property
    def delivered(self) -> int:
        """Keystrokes that have arrived everywhere."""
        return sum(writer.delivered for writer in self.writers.values())

    async def join(self, targets: list[Target], per_document: int) -> None:
        """So many people enter each document."""
        for target in targets:
            for _ in range(per_document):
                client = await Client.connect(target)
                code = wire.code(len(self.clients))
                self.clients.append(client)
                self._codes[client] = code
                self.writers[code] = Writer(client, code, per_document - 1)
        await asyncio.sleep(SETTLE_SECONDS)  # what signing in is answered with is no keystroke's
        for writer in self.writers.values():
            writer.client.on_update = self._heard
            writer.client.on_saved = writer.saved

    def start(self) -> None:
        """Everybody types."""
        for writer in self.writers.values():
            writer.typing = True
            writer.type()

    def stop(self) -> None:
        """Nobody types any more."""
        for writer in self.writers.values():
            writer.typing = False

    async def settled(self, seconds: float) -> None:
        """Wait until every keystroke has arrived everywhere, and is saved where the server says so.

        Raises:
            TimeoutError: some have not.
        """
        async with asyncio.timeout(seconds):
            while any(self._under_way(writer) for writer in self.writers.values()):
                await asyncio.sleep(0.01)

    def _under_way(self, writer: Writer) -> bool:
        return writer.delivered < writer.clock or (self._acknowledged and writer.acknowledged < writer.clock)

    def leave(self) -> None:
        """Everybody goes."""
        for client in self.clients:
            client.cut()

    def _heard(self, client: Client, update: bytes) -> None:
        own = self._codes[client]
        if update[:2] == b"\x01\x01" and update[-3:] == _TYPED:
            code = update[2:7]
            if code != own:
                self.writers[code].seen(read_varuint(update, 7)[0])
            return
        for code, start, end in wire.spans(update):
            if code != own:
                for clock in range(start, end):
                    self.writers[code].seen(clock)
