"""kill -9 while everybody types: what was promised, and what of it is gone afterwards."""

import asyncio
import time
from typing import Final

import pycrdt

from models.documents import updates
from tests.bench.collab import wire
from tests.bench.collab.client import Client
from tests.bench.collab.servers import Server
from tests.bench.collab.typing import Numbers
from tests.bench.collab.writers import Party

DOCUMENTS: Final = 10
TYPING_SECONDS: Final = 3.0
LOADED_SECONDS: Final = 20.0
"""y-websocket answers with an empty document, and sends what it has stored afterwards: at the latest by then."""


async def crash(server: Server) -> Numbers:
    """Edits that their writers were told are saved, those of them that are gone, and those gone that others had."""
    names = [await server.document() for _ in range(DOCUMENTS)]
    party = Party(acknowledged=server.acknowledges)
    await party.join([server.target(name) for name in names], 2)
    party.start()
    await asyncio.sleep(TYPING_SECONDS)
    await server.kill()
    party.stop()
    await server.start()
    promised = {wire.client_id(code): max(w.acknowledged, w.delivered) for code, w in party.writers.items()}
    kept: dict[int, int] = {}
    for found in await asyncio.gather(*(_stored(server, name, promised) for name in names)):
        kept |= found
    told = gone = unseen = 0
    for code, writer in party.writers.items():
        known = kept.get(wire.client_id(code), 0)
        told += writer.acknowledged
        gone += max(0, writer.acknowledged - known)
        unseen += max(0, writer.delivered - known)
    answers = {"acknowledged": told, "acknowledged and gone": gone} if server.acknowledges else {}
    return {f"kill -9 {what}": number for what, number in ({**answers, "delivered and gone": unseen}).items()}


async def _stored(server: Server, name: str, promised: dict[int, int]) -> dict[int, int]:
    """How many keystrokes of each client a document has; waits a while for those that were promised."""
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()

    def heard(_client: Client, update: bytes) -> None:
        doc.apply_update(update)

    client = await Client.connect(server.target(name), heard)
    doc.apply_update(client.content)
    until = time.monotonic() + LOADED_SECONDS
    while time.monotonic() < until:
        clocks = updates.clocks(doc.get_state())
        if clocks and all(clock >= promised[client_id] for client_id, clock in clocks.items()):
            break
        await asyncio.sleep(0.05)
    client.cut()
    return updates.clocks(doc.get_state())
