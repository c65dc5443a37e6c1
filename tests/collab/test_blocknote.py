"""Two real BlockNote editors on one document: they see the same, and what the server reads in it is what they see."""

import asyncio
from typing import Any

import pycrdt

from models import content
from tests.clients import Node
from tests.collab.test_clients import join
from tests.collab.test_tiptap import agreed
from tests.collab.world import Collab, World

WRITTEN = [
    {"type": "heading", "props": {"level": 2}, "content": "Title"},
    {"type": "paragraph", "content": [{"type": "text", "text": "bold", "styles": {"bold": True}}]},
    {"type": "bulletListItem", "content": "one", "children": [{"type": "bulletListItem", "content": "nested"}]},
    {"type": "checkListItem", "props": {"checked": True}, "content": "done"},
    {"type": "table", "content": {"type": "tableContent", "rows": [{"cells": ["a", "b"]}, {"cells": ["c", "d"]}]}},
]
READ = """\
## Online

> Offline

**bold**

- one
  - nested

* [x] done

| a | b |
| --- | --- |
| c | d |

Between
"""


async def test_blocknote_editors_write_together(collab: Collab, world: World) -> None:
    doc = await world.document()
    async with Node() as node:  # the page that BlockNote needs is global
        ann, bob = editors = [await join(node, kind, collab, world, doc) for kind in ("hocuspocus-4", "y-websocket")]
        for editor in editors:
            await editor.call("blocknote")
        await ann.call("block", commands=[["replaceAll", None, WRITTEN]])
        await bob.catches_up_with(ann, 60_000)
        await agreed(editors, "blocks")
        await bob.call("disconnect")
        await asyncio.gather(
            ann.call("block", commands=[["update", 0, {"content": "Online"}]]),
            bob.call(
                "block",
                commands=[
                    ["insertAfter", 0, [{"type": "quote", "content": "Offline"}]],
                    ["insertAfter", 5, [{"type": "paragraph", "content": "Between"}]],
                ],
            ),
        )
        await bob.call("reconnect")
        await bob.synced(60_000)
        for one, other in ((ann, bob), (bob, ann)):
            await one.catches_up_with(other, 60_000)
        shown = await agreed(editors, "blocks")
        for editor in editors:
            await editor.saved(60_000)
        assert node.uncaught == []
    assert [block["type"] for block in shown][:3] == ["heading", "quote", "paragraph"]
    stored: pycrdt.Doc[Any] = pycrdt.Doc()
    for entry in await world.journal(doc):
        stored.apply_update(entry.payload)
    assert content.to_markdown(stored) == READ
