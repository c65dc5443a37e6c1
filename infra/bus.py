"""Fan-out between processes over Redis: fast, and allowed to lose anything.

What travels here is in Postgres already or does not matter; a reader that sees a gap in `seq`
reads the journal. So nothing is retried, and a Redis that is down costs latency only.

Channels are plain ones (PUBLISH), not sharded (SPUBLISH). Sharding spares the nodes of a Redis cluster what the others
publish; on one Redis it does the same work, and a client that follows a channel on the shard that has it needs a
connection to each shard. What keeps the traffic down here is that a process publishes only what another one has open.
"""

import asyncio
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from infra import identities, patience
from infra.logging import get_logger
from infra.redis import OUTAGES

log = get_logger(__name__)

_HEADER = struct.Struct("!B8sQ")
_PREFIX = b"doxie:doc:"
_REVOKED = b"doxie:revoked"
RETRY_SECONDS = 0.2


class Kind(IntEnum):
    """What a message carries."""

    UPDATE = 1  # a journaled Yjs update; seq is its place in the journal
    AWARENESS = 2  # an awareness update; seq is 0
    RELOAD = 4  # read the journal again from `seq`


@dataclass(frozen=True, slots=True)
class Message:
    """One message about one document."""

    kind: Kind
    seq: int
    node: bytes
    """Eight bytes that name the sending process, so that it can skip its own."""
    payload: bytes

    def encode(self) -> bytes:
        """kind (1 byte), node (8), seq (8, big-endian), payload."""
        return _HEADER.pack(self.kind, self.node, self.seq) + self.payload

    @classmethod
    def decode(cls, data: bytes) -> "Message":
        """Raises ValueError for anything `encode` did not make."""
        if len(data) < _HEADER.size:
            raise ValueError("truncated bus message")
        kind, node, seq = _HEADER.unpack_from(data)
        return cls(Kind(kind), seq, node, data[_HEADER.size :])


@dataclass(frozen=True, slots=True)
class Revocation:
    """Somebody's access has changed: whoever fits all that is given has to be asked again who they are.

    With a user or a session: what is remembered of them is forgotten. With an organization alone: of everybody. What
    changes about a document only is not remembered anywhere.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    org_id: UUID | None = None
    document_id: UUID | None = None

    def encode(self) -> bytes:
        """A JSON object of what is given."""
        return json.dumps({name: str(value) for name, value in asdict(self).items() if value}).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Revocation":
        """Raises ValueError for anything `encode` did not make."""
        return cls(**{name: UUID(value) for name, value in json.loads(data).items()})


Arrival = tuple[UUID, Message] | Revocation | None
"""A message about a document, a revocation, or None after a lost connection is back."""


class Bus:
    """Publish to documents, and follow the ones subscribed to."""

    def __init__(self, redis_url: str) -> None:
        self.node = os.urandom(8)
        self._redis = _client(redis_url)
        # What reconnects by itself does not say that it has missed something.
        self._listener = _client(redis_url, retry=Retry(NoBackoff(), 0))
        self._ear: PubSub | None = None
        """What is listened on: of one connection, and made anew with the next by who listens."""
        self._channels: set[bytes] = {_REVOKED}
        self._owed: list[Revocation] = []
        self._paying: asyncio.Task[None] | None = None

    async def publish(self, document_id: UUID, kind: Kind, payload: bytes, *, seq: int = 0) -> None:
        """Tell every process that follows the document; silently too late where Redis is down."""
        message = Message(kind, seq, self.node, payload)
        try:
            async with asyncio.timeout(2):
                await self._redis.publish(_PREFIX + document_id.bytes, message.encode())
        except OUTAGES as error:
            log.warning("bus publish failed", document_id=str(document_id), error=str(error))

    @property
    def owes(self) -> bool:
        """Whether there are revocations that Redis has not heard of."""
        return bool(self._owed)

    async def revoke(self, revocation: Revocation) -> None:
        """Tell every process that somebody's access has changed. Call it after the commit that changed it.

        Where Redis is down it is told as soon as it is back.
        """
        if not await self._revoked(revocation):
            self._owed.append(revocation)
            if self._paying is None or self._paying.done():
                self._paying = asyncio.create_task(self._pay())

    async def _revoked(self, revocation: Revocation) -> bool:
        everybody = revocation.org_id is not None and revocation.user_id is None and revocation.document_id is None
        try:
            async with asyncio.timeout(1), self._redis.pipeline(transaction=False) as pipeline:
                identities.renew(
                    pipeline, user_id=revocation.user_id, session_id=revocation.session_id, everybody=everybody
                )
                pipeline.publish(_REVOKED, revocation.encode())
                await pipeline.execute()
        except OUTAGES as error:
            log.warning("bus publish failed", revocation=str(revocation), error=str(error))
            return False
        return True

    async def _pay(self) -> None:
        while self._owed:
            await asyncio.sleep(RETRY_SECONDS)
            if await self._revoked(self._owed[0]):
                self._owed.pop(0)

    async def publish_many(self, messages: list[tuple[UUID, Message]]) -> None:
        """Publish several messages in one round trip."""
        try:
            async with asyncio.timeout(2), self._redis.pipeline(transaction=False) as pipeline:
                for document_id, message in messages:
                    pipeline.publish(_PREFIX + document_id.bytes, message.encode())
                await pipeline.execute()
        except OUTAGES as error:
            log.warning("bus publish failed", messages=len(messages), error=str(error))

    async def subscribe(self, document_id: UUID) -> bool:
        """Follow a document. False when Redis is down: it is followed once Redis is back."""
        channel = _PREFIX + document_id.bytes
        self._channels.add(channel)
        return await self._say(b"SUBSCRIBE", channel)

    async def unsubscribe(self, document_id: UUID) -> None:
        """Stop following a document."""
        channel = _PREFIX + document_id.bytes
        self._channels.discard(channel)
        await self._say(b"UNSUBSCRIBE", channel)

    async def _say(self, command: bytes, channel: bytes) -> bool:
        """Say it on the connection as it is: only who listens on it may make a new one, or two would read at once."""
        if self._ear is None or not (connection := self._ear.connection) or not connection.is_connected:
            return False
        try:
            async with asyncio.timeout(2):
                await connection.send_command(command, channel, check_health=False)
        except OUTAGES as error:
            log.warning("bus does not take a channel", error=str(error))
            return False
        return True

    async def messages(self) -> AsyncIterator[Arrival]:
        """Everything that arrives: revocations, and messages about the documents followed.

        After a lost connection it yields None once it is back: whoever follows documents must then
        read what it may have missed.
        """
        missed = False
        while True:
            ear = self._listener.pubsub(ignore_subscribe_messages=True)
            try:
                known = frozenset(self._channels)
                await ear.subscribe(*known)
                self._ear = ear
                if more := self._channels - known:  # while it was connecting
                    await ear.subscribe(*more)
                if missed:
                    yield None
                while True:
                    raw = await ear.get_message(timeout=5)
                    if raw is not None and raw["type"] == "message":
                        yield self._decoded(raw["channel"], raw["data"])
            except OUTAGES as error:
                log.warning("bus connection lost", error=str(error))
                missed = True
            finally:
                self._ear = None
                with suppress(*OUTAGES):
                    await ear.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(0.5)

    @staticmethod
    def _decoded(channel: bytes, data: bytes) -> Arrival:
        if channel == _REVOKED:
            return Revocation.decode(data)
        return UUID(bytes=channel[len(_PREFIX) :]), Message.decode(data)

    async def ping(self) -> None:
        """Raises when Redis does not answer."""
        async with asyncio.timeout(2):
            await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        if self._paying is not None:
            self._paying.cancel()
        await self._listener.aclose()
        await self._redis.aclose()


def _client(redis_url: str, **options: Any) -> Redis:
    return Redis.from_url(
        redis_url,
        socket_connect_timeout=2,
        socket_timeout=None,  # who follows documents may hear nothing for long
        **patience.redis(),
        health_check_interval=15,
        **options,
    )
