"""Who writes all the time: editors on sockets and autosaves over REST, and what each was promised.

Every edit types a token that nobody else ever types, `<writer.number>`; some erase an older one. An edit counts as
acknowledged once its writer was told so, and never before.
"""

import asyncio
import random
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import pycrdt
import websockets
from websockets.asyncio.client import ClientConnection, connect

from collab import protocol
from models.lib0 import read_bytes
from tests.torture.processes import client

ROOT = "text"
TOKEN = re.compile(rb"<\d+\.\d+>")
AHEAD = 300
"""A writer whose edits are not acknowledged goes on for so many, then waits."""
_FIRST_CLIENT = 1000
_SAVED = protocol.sync_status(saved=True)
_UNSAVED = protocol.sync_status(saved=False)
_GONE = (OSError, websockets.WebSocketException, TimeoutError)


@dataclass(slots=True)
class Record:
    """What one writer did, in order, and how much of it was acknowledged."""

    writer: int
    document: UUID
    typed: list[str] = field(default_factory=list)
    """The token of each edit; of one that erased, the token that it erased with a `-` before it."""
    acknowledged: int = 0
    returns: int = 0
    """How often it has come back, and may so have sent again what was saved already."""
    seqs: dict[int, bytes] = field(default_factory=dict)
    """Over REST: which update was promised which place in the journal."""
    exact: bool = False
    """With idempotency keys nothing may be journaled twice, however often it is sent."""


class Writer:
    """A replica that writes."""

    def __init__(self, number: int, document: UUID, chance: random.Random, note: Callable[[float], None]) -> None:
        self.record = Record(number, document)
        self.doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=_FIRST_CLIENT + number)
        self.text = self.doc.get(ROOT, type=pycrdt.Text)
        self._chance = chance
        self._note = note
        """Told the moment of each acknowledgement."""

    @property
    def clean(self) -> bool:
        """Whether everything was acknowledged."""
        return self.record.acknowledged == len(self.record.typed)

    def edit(self) -> bytes:
        """The next edit, as an update."""
        record = self.record
        made: list[bytes] = []
        watch = self.doc.observe(lambda event: made.append(event.update))
        if record.typed and self._chance.random() < 0.1 and (token := self._own()):
            at = str(self.text).index(token)
            del self.text[at : at + len(token)]
            record.typed.append(f"-{token}")
        else:
            token = f"<{record.writer}.{len(record.typed)}>"
            self.text += token
            record.typed.append(token)
        self.doc.unobserve(watch)
        return made[0]

    def promised(self, many: int) -> None:
        """The first so many edits are saved."""
        if many > self.record.acknowledged:
            now = time.monotonic()
            for _ in range(many - self.record.acknowledged):
                self._note(now)
            self.record.acknowledged = many

    def _own(self) -> str:
        """One of its own tokens that is there."""
        token = self._chance.choice(self.record.typed)
        return token if token in str(self.text) else ""


class Editor(Writer):
    """Writes over a socket, as Yjs clients do; goes to the other node when this one is gone."""

    def __init__(self, *given: Any, urls: Sequence[str], token: Callable[[UUID], str], pause: float) -> None:
        super().__init__(*given)
        self._urls = urls
        self._token = token
        self._pause = pause
        self._waiting: deque[int] = deque()
        """For each message that will be answered: how many edits are saved when it is."""
        self._sent: deque[float] = deque()
        """When each edit that is not acknowledged was sent, the oldest first."""
        self._knows = False
        self.told: list[float] = []
        """How old the oldest of them was, in seconds, when it was told that they are not saved: once for each time."""

    async def run(self, stop: asyncio.Event) -> None:
        """Write until told to stop; then stay, and hear the others, until cancelled."""
        while True:
            url = self._urls[(self.record.writer + self.record.returns) % len(self._urls)]
            document = self.record.document
            try:
                where = f"{url}/{document}?token={self._token(document)}&ack=1"
                async with connect(
                    where, max_size=None, open_timeout=5, ping_interval=2, ping_timeout=4, close_timeout=0.2
                ) as socket:
                    await self._serve(socket, stop)
            except _GONE:
                await asyncio.sleep(0.05 + 0.2 * self._chance.random())
            self.record.returns += 1

    async def _serve(self, socket: ClientConnection, stop: asyncio.Event) -> None:
        self._waiting.clear()
        self._knows = False
        self._sent = deque([time.monotonic()] * (len(self.record.typed) - self.record.acknowledged))
        synced = asyncio.Event()
        await socket.send(protocol.step1(self.doc.get_state()))
        typing = asyncio.create_task(self._type(socket, synced, stop))
        try:
            async for message in socket:
                assert isinstance(message, bytes)
                await self._hear(socket, message, synced)
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def _hear(self, socket: ClientConnection, message: bytes, synced: asyncio.Event) -> None:
        if message == _SAVED:
            self.promised(self._waiting.popleft())
            self._knows = False
            while len(self._sent) > len(self.record.typed) - self.record.acknowledged:
                self._sent.popleft()
        elif message == _UNSAVED:
            if self._sent and not self._knows:
                self.told.append(time.monotonic() - self._sent[0])
            self._knows = True
        elif message[0] == 0:
            body = read_bytes(message, 2)[0]
            if message[1] != 0:
                self.doc.apply_update(body)
                return
            self._waiting.append(len(self.record.typed))
            await socket.send(protocol.step2(self.doc.get_update(body)))
            synced.set()

    async def _type(self, socket: ClientConnection, synced: asyncio.Event, stop: asyncio.Event) -> None:
        await synced.wait()
        while not stop.is_set():
            await asyncio.sleep(self._pause * 2 * self._chance.random())
            if len(self.record.typed) - self.record.acknowledged < AHEAD:
                update = self.edit()
                self._waiting.append(len(self.record.typed))
                self._sent.append(time.monotonic())
                await socket.send(protocol.update(update))


class Saver(Writer):
    """Autosaves over REST; repeats what was not answered, at the other process."""

    def __init__(self, *given: Any, urls: Sequence[str], token: str, pause: float) -> None:
        super().__init__(*given)
        self._urls = urls
        self.headers = {"authorization": f"Bearer {token}", "content-type": "application/octet-stream"}
        self._pause = pause
        self.record.exact = self.record.writer % 2 == 0
        self.odd: list[str] = []
        """Answers that no client should get."""

    async def run(self, stop: asyncio.Event) -> None:
        """Write until told to stop and all is saved."""
        async with client() as api:
            while not stop.is_set():
                await asyncio.sleep(self._pause * 2 * self._chance.random())
                await self._save(api, self.edit())

    async def _save(self, api: httpx.AsyncClient, update: bytes) -> None:
        headers = self.headers | ({"idempotency-key": str(uuid4())} if self.record.exact else {})
        while True:
            url = self._urls[(self.record.writer + self.record.returns) % len(self._urls)]
            try:
                answer = await api.post(
                    f"{url}/documents/{self.record.document}/updates", content=update, headers=headers
                )
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 202:
                self.record.seqs[answer.json()["seq"]] = update
                self.promised(len(self.record.typed))
                return
            if answer is not None and answer.status_code not in (409, 429, 500, 502, 503, 504):
                self.odd.append(f"{answer.status_code} {answer.text[:200]}")
            self.record.returns += 1
            await asyncio.sleep(0.2)
