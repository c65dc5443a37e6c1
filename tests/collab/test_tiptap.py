"""Two real Tiptap editors on one document: they see the same, and the server reads in it what they see."""

import asyncio
from typing import Any

import pycrdt
import pytest

from models import content
from tests.clients import Kind, Node, YClient
from tests.collab.test_clients import join
from tests.collab.world import Collab, World

PAIRS: list[tuple[Kind, Kind]] = [("y-websocket", "hocuspocus-4"), ("hocuspocus-3", "y-websocket")]
TITLE = "<h1>Title</h1><p>Hello <strong>world</strong></p><ul><li><p>one</p></li><li><p>two</p></li></ul>"


async def agreed(editors: list[YClient], shows: str = "prosemirror") -> Any:
    """Wait until all editors show the same; what it is. `shows` asks one for it."""
    async with asyncio.timeout(60):
        while True:
            shown = [await editor.call(shows) for editor in editors]
            if all(document == shown[0] for document in shown):
                return shown[0]
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("kinds", PAIRS, ids="+".join)
async def test_tiptap_editors_write_together(collab: Collab, world: World, kinds: tuple[Kind, Kind]) -> None:
    doc = await world.document()
    async with Node() as node:  # the page that Tiptap needs is global
        ann, bob = editors = [await join(node, kind, collab, world, doc) for kind in kinds]
        for editor in editors:
            await editor.call("tiptap")
        await ann.call("edit", commands=[["setContent", TITLE]])
        await bob.catches_up_with(ann, 60_000)
        await agreed(editors)
        await asyncio.gather(
            ann.call(
                "edit",
                commands=[["insertContentAt", 3, "X🎉"], ["setTextSelection", {"from": 2, "to": 6}], ["toggleItalic"]],
            ),
            bob.call(
                "edit",
                commands=[["insertContentAt", 12, "<p>Between</p>"], ["setTextSelection", 14], ["toggleCodeBlock"]],
            ),
        )
        await bob.call("disconnect")
        await bob.call("edit", commands=[["insertContentAt", 0, "<blockquote><p>Offline</p></blockquote>"]])
        await ann.call("edit", commands=[["insertContentAt", 1, "Online "]])
        await bob.call("reconnect")
        await bob.synced(60_000)
        for one, other in ((ann, bob), (bob, ann)):
            await one.catches_up_with(other, 60_000)
        shown = await agreed(editors)
        for editor in editors:
            await editor.saved(60_000)
        assert node.uncaught == []
    stored: pycrdt.Doc[Any] = pycrdt.Doc()
    for entry in await world.journal(doc):
        stored.apply_update(entry.payload)
    text = content.to_text(stored)
    assert all(words in text for words in ("Offline", "Online ", "X🎉", "Between", "two"))
    assert kinds_of(content.to_prosemirror(stored)) == kinds_of(shown)


def kinds_of(node: dict[str, Any]) -> list[Any]:
    """A ProseMirror document as its nodes, their marks and words: neither side has to write what is the default."""
    if node["type"] == "text":
        return [node["text"], sorted(mark["type"] for mark in node.get("marks", []))]
    return [node["type"], *map(kinds_of, node.get("content", []))]
