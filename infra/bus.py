"""Fan-out between processes over Redis: fast, and allowed to lose anything.

What travels here is in Postgres already or does not matter; a reader that sees a gap in `seq`
reads the journal. So nothing is retried, and a Redis that is down costs latency only.
"""

import asyncio
import os
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.logging import get_logger

log = get_logger(__name__)

_HEADER = struct.Struct("!B8sQ")
_PREFIX = b"doxie:doc:"


class Kind(IntEnum):
    """What a message carries."""

    UPDATE = 1  # a journaled Yjs update; seq is its place in the journal
    AWARENESS = 2  # an awareness update; seq is 0
    REVOKED = 3  # somebody's access changed: check the sockets again
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


class Bus:
    """Publish to documents, and follow the ones subscribed to."""

    def __init__(self, redis_url: str) -> None:
        self.node = os.urandom(8)
        self._redis: Redis = Redis.from_url(
            redis_url, socket_connect_timeout=2, socket_timeout=None, health_check_interval=15
        )
        self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        self._channels: set[bytes] = set()
        self._changed = asyncio.Event()

    async def publish(self, document_id: UUID, kind: Kind, payload: bytes, *, seq: int = 0) -> None:
        """Tell every process that follows the document; silently too late where Redis is down."""
        message = Message(kind, seq, self.node, payload)
        try:
            async with asyncio.timeout(2):
                await self._redis.publish(_PREFIX + document_id.bytes, message.encode())
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bus publish failed", document_id=str(document_id), error=str(error))

    async def publish_many(self, messages: list[tuple[UUID, Message]]) -> None:
        """Publish several messages in one round trip."""
        try:
            async with asyncio.timeout(2), self._redis.pipeline(transaction=False) as pipeline:
                for document_id, message in messages:
                    pipeline.publish(_PREFIX + document_id.bytes, message.encode())
                await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bus publish failed", messages=len(messages), error=str(error))

    async def subscribe(self, document_id: UUID) -> bool:
        """Follow a document. False when Redis is down: it is followed once Redis is back."""
        channel = _PREFIX + document_id.bytes
        self._channels.add(channel)
        self._changed.set()
        try:
            async with asyncio.timeout(2):
                await self._pubsub.subscribe(channel)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bus subscribe failed", document_id=str(document_id), error=str(error))
            return False
        return True

    async def unsubscribe(self, document_id: UUID) -> None:
        """Stop following a document."""
        channel = _PREFIX + document_id.bytes
        self._channels.discard(channel)
        try:
            async with asyncio.timeout(2):
                await self._pubsub.unsubscribe(channel)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bus unsubscribe failed", document_id=str(document_id), error=str(error))

    async def messages(self) -> AsyncIterator[tuple[UUID | None, Message | None]]:
        """Everything that arrives for the documents followed.

        After a lost connection it yields (None, None) once it is back: whoever follows documents
        must then read what it may have missed.
        """
        lost = False
        while True:
            if not self._channels:
                self._changed.clear()
                await self._changed.wait()
            try:
                if lost:
                    await self._pubsub.subscribe(*self._channels)
                    lost = False
                    yield None, None
                raw = await self._pubsub.get_message(timeout=5)
            except (RedisError, OSError) as error:
                log.warning("bus connection lost", error=str(error))
                lost = True
                await asyncio.sleep(0.5)
                continue
            if raw is not None and raw["type"] == "message":
                yield UUID(bytes=raw["channel"][len(_PREFIX) :]), Message.decode(raw["data"])

    async def ping(self) -> None:
        """Raises when Redis does not answer."""
        async with asyncio.timeout(2):
            await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]
        await self._redis.aclose()
