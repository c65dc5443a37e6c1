"""What a played session came to, read back from the running stack and compared with the trace."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from pycrdt import Doc, Text

from flows.demo.player import ROOT, Played
from flows.demo.trace import Trace

_PATIENCE = 120
"""Seconds the pipeline may take to catch up."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the pipeline made of a document."""

    revisions: int
    snapshot_bytes: int
    """Of all snapshots together, compressed."""
    newest_snapshot_bytes: int
    flow_runs: int


def text_of(update: bytes) -> str:
    """The text that a Yjs update makes."""
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    return str(doc.get(ROOT, type=Text))


async def persisted(api: httpx.AsyncClient, document_id: str, seq: int) -> dict[str, Any]:
    """The revision that holds everything up to a seq, once the pipeline has stored it."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            async for revision in revisions(api, document_id):
                if revision["state"] == "stored" and revision["seq_to"] >= seq:
                    return revision
                break
            await asyncio.sleep(0.2)


async def export_markdown(api: httpx.AsyncClient, document_id: str) -> str:
    """The document exported to Markdown by a flow."""
    export = (await api.post(f"/documents/{document_id}/exports", json={"format": "markdown"})).json()
    async with asyncio.timeout(_PATIENCE):
        while export["state"] in ("pending", "running"):
            await asyncio.sleep(0.2)
            export = (await api.get(f"/exports/{export['id']}")).raise_for_status().json()
    if export["state"] != "succeeded":
        raise AssertionError(f"the export failed: {export['error']}")
    return (await api.get(export["download_url"])).raise_for_status().text


async def travel(api: httpx.AsyncClient, document_id: str, seq: int) -> str:
    """The text as it was after a seq."""
    answer = await api.get(f"/documents/{document_id}/state", params={"seq": seq})
    return text_of(answer.raise_for_status().content)


async def cost(api: httpx.AsyncClient, document_id: str) -> Cost:
    """Count revisions, bytes and flow runs."""
    stored = [item async for item in revisions(api, document_id) if item["state"] == "stored"]
    runs = [item["flow_run_id"] async for item in _pages(api, f"/documents/{document_id}/pipeline")]
    by_hash = {item["sha256"]: item["bytes_stored"] for item in stored}
    return Cost(
        revisions=len(stored),
        snapshot_bytes=sum(by_hash.values()),
        newest_snapshot_bytes=stored[0]["bytes_stored"] if stored else 0,
        flow_runs=len({run for run in runs if run is not None}),
    )


def moments(played: Played, count: int = 10, seed: int = 7) -> list[int]:
    """Some seqs at random, the same for a seed."""
    choose = random.Random(seed)  # noqa: S311 (a sample, not a secret)
    return sorted(choose.sample(range(1, played.updates + 1), min(count, played.updates)))


async def mismatches(
    api: httpx.AsyncClient, document_id: str, trace: Trace, played: Played, seqs: Sequence[int]
) -> list[int]:
    """Those of the seqs at which the document was not what the trace says."""
    expected = trace.texts_after([played.keystrokes_at[seq - 1] for seq in seqs])
    return [seq for seq in seqs if await travel(api, document_id, seq) != expected[played.keystrokes_at[seq - 1]]]


def revisions(api: httpx.AsyncClient, document_id: str) -> AsyncIterator[dict[str, Any]]:
    """All revisions, newest first."""
    return _pages(api, f"/documents/{document_id}/revisions")


async def _pages(api: httpx.AsyncClient, path: str) -> AsyncIterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        parameters = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(path, params=parameters)).raise_for_status().json()
        for item in page["items"]:
            yield item
        cursor = page["next_cursor"]
        if cursor is None:
            return
