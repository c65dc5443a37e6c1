"""Updates that end the process which applies them are put aside; the pipeline goes on without them."""

import pytest

from flows import operating
from flows.runtime import Runtime
from infra.settings import Settings
from models import lib0
from tests.collab.fuzz import POISON
from tests.flows.desk import Desk, dispatching, settled, typing


@pytest.fixture(autouse=True)
def _here(pipeline: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating, "get_settings", lambda: pipeline)


async def test_a_fold_that_dies_quarantines_what_it_died_of(worker: Runtime, desk: Desk) -> None:
    document_id, words = await desk.document(), typing("still here")
    async with dispatching(worker):
        await desk.write(document_id, *POISON[:3], *words[:4])
        await settled(worker, [document_id])
        await desk.write(document_id, words[4], POISON[3], *words[5:])
        await settled(worker, [document_id])
    last = (await desk.revisions(document_id))[-1]
    assert (last.state, last.seq_to) == ("stored", len(POISON) + len(words))
    [aside] = await operating.quarantined(document_id, limit=10)
    assert (aside.payload, aside.seq) == (POISON[3], 9)
    assert [finding for finding in await operating.verify(document_id) if not finding.ok] == []


def nested(levels: int) -> bytes:
    """An element in an element in an element …, with a word in the innermost."""
    items = b"\x07\x01\x07default\x03\x0ablockquote"
    for clock in range(levels - 1):
        items += b"\x07\x00\x01" + lib0.varuint(clock) + b"\x03\x0ablockquote"
    items += b"\x07\x00\x01" + lib0.varuint(levels - 1) + b"\x06\x04\x00\x01" + lib0.varuint(levels) + b"\x04word"
    return b"\x01" + lib0.varuint(levels + 2) + b"\x01\x00" + items + b"\x00"


async def test_a_tree_deeper_than_anybody_reads_is_kept(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    async with dispatching(worker):
        await desk.write(document_id, nested(20_000))
        await settled(worker, [document_id])
    [revision] = await desk.revisions(document_id)
    assert revision.state == "stored"
    assert all(finding.ok for finding in await operating.verify(document_id))
