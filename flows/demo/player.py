"""A typist: plays a trace into a document over the WebSocket, with autosaves over REST in between."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from pycrdt import Doc, Text, TransactionEvent, create_sync_message, create_update_message
from websockets.asyncio.client import ClientConnection, connect

from flows.demo.trace import Keystroke, Trace

ROOT = "content"

_UNACKNOWLEDGED = 256
"""How far the typist runs ahead of the server's word that it is saved."""

_SYNC_STATUS = b"\x08\x01"


@dataclass(slots=True)
class Played:
    """What playing came to."""

    updates: int = 0
    autosaves: int = 0
    payload_bytes: int = 0
    keystrokes_at: list[int] = field(default_factory=list)
    """keystrokes_at[seq - 1]: how many keystrokes the document has after that seq."""


class Typist:
    """A client with a Doc of its own, as an editor has."""

    def __init__(self) -> None:
        self.doc: Doc[Any] = Doc()
        self._text = self.doc.get(ROOT, type=Text)
        self._updates: list[bytes] = []
        self._subscription = self.doc.observe(self._collect)

    def type(self, keystrokes: Sequence[Keystroke]) -> bytes:
        """Type, and return the Yjs update of it."""
        with self.doc.transaction():
            for position, deleted, inserted in keystrokes:
                if deleted:
                    del self._text[position : position + deleted]
                if inserted:
                    self._text.insert(position, inserted)
        return self._updates.pop()

    def _collect(self, event: TransactionEvent) -> None:
        self._updates.append(event.update)


class _Socket:
    """A y-websocket connection that counts what the server says is saved."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._sent = self._saved = 0
        self._progress = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def send(self, update: bytes) -> None:
        await self._connection.send(create_update_message(update))
        self._sent += 1
        if self._sent - self._saved > _UNACKNOWLEDGED:
            await self._until(lambda: self._sent - self._saved <= _UNACKNOWLEDGED // 2)

    async def saved(self) -> None:
        """Wait until everything sent is in the journal."""
        await self._until(lambda: self._saved >= self._sent)

    async def close(self) -> None:
        await self._connection.close()
        await self._reader

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._progress:
            await self._progress.wait_for(lambda: self._reader.done() or condition())
        if not condition():
            raise ConnectionError(f"the server closed the socket: {self._connection.close_reason}")

    async def _read(self) -> None:
        try:
            async for message in self._connection:
                if message == _SYNC_STATUS:
                    self._saved += 1
                    async with self._progress:
                        self._progress.notify_all()
        finally:
            async with self._progress:
                self._progress.notify_all()


async def play(
    api: httpx.AsyncClient,
    document_id: str,
    trace: Trace,
    *,
    autosave_every: int = 500,
    progress: Callable[[int], None] = lambda _keystrokes: None,
) -> Played:
    """Type the trace into an empty document; returns once everything is saved.

    Every so many updates one goes through `POST /documents/{id}/updates` instead of the socket.
    `progress` hears how many keystrokes were typed.
    """
    typist, played = Typist(), Played()
    access = (await api.post(f"/documents/{document_id}/collab-token")).raise_for_status().json()
    url = f"{access['url']}/{document_id}?token={access['token']}&ack=1"
    async with connect(url, max_size=None, compression=None) as connection:
        socket = _Socket(connection)
        await connection.send(create_sync_message(Doc()))
        for batch in trace.batches():
            update = typist.type(batch)
            played.updates += 1
            played.payload_bytes += len(update)
            if played.updates % autosave_every:
                await socket.send(update)
            else:
                await socket.saved()  # an autosave takes its place after what was typed before it
                await _autosave(api, document_id, update, expected=played.updates)
                played.autosaves += 1
            before = played.keystrokes_at[-1] if played.keystrokes_at else 0
            played.keystrokes_at.append(before + len(batch))
            progress(len(batch))
        await socket.saved()
        await socket.close()
    return played


async def _autosave(api: httpx.AsyncClient, document_id: str, update: bytes, *, expected: int) -> None:
    headers = {"content-type": "application/octet-stream"}
    answer = await api.post(f"/documents/{document_id}/updates", content=update, headers=headers)
    seq = answer.raise_for_status().json()["seq"]
    if seq != expected:
        raise AssertionError(f"the autosave got seq {seq}, expected {expected}")
