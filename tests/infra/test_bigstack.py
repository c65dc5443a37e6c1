"""What a call in a child gives back, and what it cannot do to its parent."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from infra import bigstack
from infra.bigstack import Poisoned
from models.documents import Edit, MalformedUpdate, crdt
from models.errors import Invalid
from tests.collab.fuzz import POISON
from tests.collab.sockets import Editor, text_of


async def test_results_and_errors_come_back() -> None:
    assert await bigstack.run(lambda: ({"a": [1, None]}, b"x" * 3_000_000)) == ({"a": [1, None]}, b"x" * 3_000_000)
    raw = Editor(1).type("hi")
    assert text_of(await bigstack.run(lambda: crdt.build([raw]).get_update())) == "hi"
    with pytest.raises(Invalid, match="malformed"):
        await bigstack.run(crdt.difference, raw, b"\xff")
    with pytest.raises(Poisoned) as caught:
        await bigstack.run(crdt.build, [raw, b"\0", raw])
    assert caught.value.index == 1


async def test_a_call_that_ends_its_process_says_at_which_update() -> None:
    raw = Editor(1).type("hi")
    before = await bigstack.run(lambda: crdt.build(POISON[:3]).get_update())
    with pytest.raises(Poisoned) as caught:
        await bigstack.run(crdt.build, [raw, before, POISON[3], raw])
    assert caught.value.index == 2
    with pytest.raises(Poisoned) as ended:
        await bigstack.run(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert ended.value.index == -1


async def test_memory_is_bounded_and_deep_recursion_is_not() -> None:
    with pytest.raises((MemoryError, Poisoned)):
        await bigstack.run(lambda: len(bytearray(2 * bigstack.MEMORY_BYTES)))
    deep = b"\x01\x01\x05\x00\x08\x01\x01t\x01" + b"\x75\x01" * 400_000 + b"\x7e\x00"
    assert len(await bigstack.run(lambda: crdt.build([deep]).get_update())) > 800_000


async def test_nobody_waits_for_a_long_call() -> None:
    """The library holds the interpreter lock; in a child it is another one."""
    slow = asyncio.create_task(bigstack.run(lambda: sum(range(10_000_000))))
    turns = 0
    while not slow.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1000
    assert await slow == sum(range(10_000_000))


async def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigstack, "SECONDS", 0.2)
    with pytest.raises(Poisoned):
        await bigstack.run(time.sleep, 60)


async def test_what_a_child_says_is_not_trusted(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return os.mkdir, (str(tmp_path / "evil"),)

    with pytest.raises(Exception, match="not expected"):
        await bigstack.run(Evil)
    assert not (tmp_path / "evil").exists()
    assert isinstance(await bigstack.run(lambda: Edit), type)


async def test_checking_survives_what_it_checks() -> None:
    good = [Editor(number).type("hi") for number in range(20)]
    await asyncio.gather(*(crdt.check(raw) for raw in good))
    for bad in (b"", b"\xff" * 10, good[0][:-3]):
        with pytest.raises(MalformedUpdate):
            await crdt.check(bad)
