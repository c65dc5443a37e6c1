"""kill -9 while everybody types: what was promised, and what of it is gone afterwards."""

import asyncio
from typing import Final

import pycrdt

from models.documents import updates
from tests.bench.collab import wire
from tests.bench.collab.client import Client
from tests.bench.collab.servers import Server
from tests.bench.collab.typing import Numbers
from tests.bench.collab.writers import Party

DOCUMENTS: Final = 10
UNDER_WAY: Final = 2
TYPING_SECONDS: Final = 3.0
LOADED_SECONDS: Final = 0.3
"""y-websocket answers with an empty document, and sends what it has stored afterwards."""


async def crash(server: Server) -> Numbers:
    """Edits that their writers were told are saved, those of them that are gone, and those gone that others had seen."""
    names = [await server.document() for _ in range(DOCUMENTS)]
    party = Party()
    await party.join([server.target(name) for name in names], 2, acknowledges=server.acknowledges)
    party.start(UNDER_WAY)
    await asyncio.sleep(TYPING_SECONDS)
    await server.kill()
    party.stop()
    await server.start()
    kept: dict[int, int] = {}
    for name in names:
        kept |= await _stored(server, name)
    told = gone = unseen = 0
    for code, writer in party.writers.items():
        known = kept.get(wire.client_id(code), 0)
        told += writer.acknowledged
        gone += max(0, writer.acknowledged - known)
        unseen += max(0, writer.delivered - known)
    promised = {"acknowledged": told, "acknowledged and gone": gone} if server.acknowledges else {}
    return {f"kill -9 {what}": number for what, number in ({**promised, "delivered and gone": unseen}).items()}


async def _stored(server: Server, name: str) -> dict[int, int]:
    """How many keystrokes of each client a document has."""
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()

    def heard(_client: Client, update: bytes) -> None:
        doc.apply_update(update)

    client = await Client.connect(server.target(name), heard)
    await asyncio.sleep(LOADED_SECONDS)
    client.cut()
    doc.apply_update(client.content)
    return updates.clocks(doc.get_state())
