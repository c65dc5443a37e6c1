"""The real session: a paper, keystroke by keystroke, through every part of the platform."""

from flows.demo import player, report, trace
from tests.clients.node import Node
from tests.clients.yclient import Kind, YClient
from tests.people import Person, text_of

WATCHERS: tuple[Kind, ...] = ("y-websocket", "hocuspocus-4")


async def test_the_paper_is_the_same_everywhere(ann: Person, node: Node) -> None:
    session, api, document_id = trace.load(), ann.api, ann.document["id"]
    access = await ann.json("POST", f"/documents/{document_id}/collab-token")
    watchers = [await YClient.connect(node, kind, access["url"], document_id, access["token"]) for kind in WATCHERS]
    for watcher in watchers:
        await watcher.synced()

    played = await player.play(api, document_id, session)

    assert played.keystrokes_at[-1] == len(session.keystrokes) == 259_778
    assert played.autosaves > 20
    for watcher in watchers:
        await watcher.call("waitText", root=player.ROOT, text=session.end, ms=60_000)
    assert await report.travel(api, document_id, played.updates) == session.end
    newest = await report.persisted(api, document_id, played.updates)
    snapshot = await api.get(f"/documents/{document_id}/revisions/{newest['number']}/state")
    assert text_of(snapshot.content) == session.end
    assert await report.export_markdown(api, document_id) == session.end
    assert await report.mismatches(api, document_id, session, played, report.moments(played)) == []
    cost = await report.cost(api, document_id)
    assert 0 < cost.flow_runs <= cost.revisions * 2 + 2
    assert cost.newest_snapshot_bytes < len(session.end)
