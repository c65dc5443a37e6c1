"""One client of one document, as a test sees it."""

import itertools
from typing import Any, Literal, Self

from tests.clients.node import ClientError, Node

Kind = Literal["y-websocket", "hocuspocus-3", "hocuspocus-4"]

_names = itertools.count()


class YClient:
    """Commands are those of driver.mjs; text lives in the root `text`, rich text in the fragment `default`."""

    def __init__(self, node: Node, kind: Kind, name: str) -> None:
        self.kind = kind
        self._node = node
        self._name = name

    @classmethod
    async def connect(cls, node: Node, kind: Kind, url: str, doc: str, token: str, **options: Any) -> Self:
        """A client that begins to connect; `options` are those of the driver's connect functions."""
        client = cls(node, kind, f"{kind}#{next(_names)}")
        await client.call("connect", kind=kind, url=url, doc=doc, token=token, **options)
        return client

    async def call(self, do: str, **arguments: Any) -> Any:
        """Any command of the driver."""
        return await self._node.call(do, self._name, **arguments)

    async def synced(self, ms: int = 10_000) -> Self:
        """Wait until the client has what the server had."""
        await self.call("waitSynced", ms=ms)
        return self

    async def saved(self, ms: int = 10_000) -> None:
        """Wait until the server has acknowledged everything the client has sent."""
        await self.call("waitSaved", ms=ms)

    async def insert(self, index: int, text: str) -> None:
        """Insert text."""
        await self.call("insert", index=index, text=text)

    async def append(self, text: str) -> None:
        """Add text at the end."""
        await self.call("append", text=text)

    async def remove(self, index: int, length: int) -> None:
        """Delete text."""
        await self.call("remove", index=index, length=length)

    async def paragraph(self, text: str, *, index: int = 0, **marks: Any) -> None:
        """Insert a paragraph of rich text."""
        await self.call("paragraph", index=index, text=text, marks=marks)

    async def text(self) -> str:
        """The text."""
        return str(await self.call("text"))

    async def xml(self) -> str:
        """The rich text."""
        return str(await self.call("xml"))

    async def update(self) -> bytes:
        """The whole document as one Yjs update."""
        return bytes.fromhex(await self.call("update"))

    async def state(self) -> dict[str, Any]:
        """What the client knows about its connection."""
        found: dict[str, Any] = await self.call("state")
        return found

    async def sees(self, text: str, ms: int = 10_000) -> None:
        """Wait until the text is this."""
        await self.call("waitText", text=text, ms=ms)

    async def catches_up_with(self, other: "YClient", ms: int = 10_000) -> None:
        """Wait until this client has everything the other one has."""
        await self.call("waitState", vector=await other.call("stateVector"), ms=ms)

    async def closed(self, ms: int = 10_000) -> int:
        """Wait until the server has closed the socket; the code, of the first time."""
        closes: list[dict[str, Any]] = await self.call("waitClosed", ms=ms)
        return int(closes[0]["code"])

    async def denied(self, ms: int = 10_000) -> str:
        """Wait until the server has denied a Hocuspocus document; the reason."""
        reasons: list[str] = await self.call("waitDenied", ms=ms)
        return reasons[-1]

    async def destroy(self) -> None:
        """Leave."""
        await self.call("destroy")


__all__ = ["ClientError", "Kind", "YClient"]
