"""A document with a million operations is opened beside others, and they do not notice."""

import asyncio
import time
from pathlib import Path

import pycrdt
from websockets.asyncio.client import ClientConnection, connect

from collab import protocol
from models import lib0
from models.yjs import updates
from tests.collab.sockets import Editor
from tests.collab.test_failures import url
from tests.collab.test_limits import two
from tests.collab.world import Collab, World

OPERATIONS = 1_000_000
AT_ONCE = 100_000


def operations(start: int) -> bytes:
    """So many letters, each typed in front of the one before, so that none can be joined with another."""
    items = bytearray()
    for clock in range(start, start + AT_ONCE):
        if clock:
            items += b"\x44\x01" + lib0.varuint(clock - 1) + b"\x01a"
        else:
            items += b"\x04\x01\x04text\x01a"
    return b"\x01" + lib0.varuint(AT_ONCE) + b"\x01" + lib0.varuint(start) + bytes(items) + b"\x00"


def busy(pid: int) -> float:
    """Seconds of CPU that a process has had."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


async def relays(pid: int, one: ClientConnection, other: ClientConnection, stop: asyncio.Event) -> list[float]:
    """How long the process was busy until each edit came from one socket to the other, in seconds.

    Not how long that took, since whatever else this machine does takes part in it.
    """
    editor, took = Editor(2), []
    while not stop.is_set():
        raw = protocol.update(editor.type("."))
        began = busy(pid)
        await one.send(raw)
        while await other.recv() != raw:
            pass
        took.append(busy(pid) - began)
        await asyncio.sleep(0.002)
    return took


async def test_a_million_operations_open_beside_others(collab: Collab, world: World) -> None:
    heavy, light = await world.document(), await world.document()
    stored = [operations(start) for start in range(0, OPERATIONS, AT_ONCE)]
    for raw in stored:
        await world.edit(heavy, raw)
    began = time.thread_time()
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    with doc.transaction():
        for raw in stored:
            doc.apply_update(raw)
    whole = len(doc.get_update())
    here = time.thread_time() - began
    assert updates.clocks(doc.get_state()) == {1: OPERATIONS}

    async with two(collab, world, light) as (one, other):
        calm = asyncio.Event()
        asyncio.get_running_loop().call_later(2, calm.set)
        usual = await relays(collab.pid, one, other, calm)
        stop = asyncio.Event()
        watching = asyncio.create_task(relays(collab.pid, one, other, stop))
        began = time.perf_counter()
        async with connect(url(collab, heavy, world.token(heavy)), max_size=None) as opening:
            await opening.send(protocol.step1(b"\0"))
            async with asyncio.timeout(60):
                while len(body := await opening.recv()) < whole:
                    pass
        opened = time.perf_counter() - began
        stop.set()
        meanwhile = await watching
    print(
        f"applied here in {here * 1000:.0f} ms, opened in {opened * 1000:.0f} ms, {len(body)} bytes; busy for "
        f"{max(usual) * 1000:.1f} ms at most before and {max(meanwhile) * 1000:.1f} ms meanwhile"
    )
    assert len(meanwhile) > 5
    assert max(meanwhile) < max(here / 3, 3 * max(usual)), "somebody else's document has stalled them"
