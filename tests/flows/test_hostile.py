"""Updates that end the process which applies them are put aside; the pipeline goes on without them."""

import pytest

from flows import operating
from flows.runtime import Runtime
from infra.settings import Settings
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
    assert all(finding.ok for finding in await operating.verify(document_id))
