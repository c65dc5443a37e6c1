"""`./doxie demo`: a real editing session, keystroke by keystroke, through every part of the platform."""

import secrets
import time

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from flows.demo import player, report, trace
from flows.demo.player import Played
from flows.demo.report import Cost
from flows.demo.trace import Trace
from infra.settings import get_settings


async def run(limit: int | None = None) -> bool:
    """Play, check and print; whether everything came out as it must."""
    console, session = Console(), trace.load(limit)
    async with httpx.AsyncClient(base_url=f"{get_settings().public_url}/api/v1", timeout=60) as api:
        document_id = await _document(api)
        started = time.perf_counter()
        with _bar(console) as bar:
            task = bar.add_task("typing", total=len(session.keystrokes))
            played = await player.play(api, document_id, session, progress=lambda count: bar.advance(task, count))
        seconds = time.perf_counter() - started
        with console.status("the pipeline persists, exports and travels in time …"):
            checks = await _checks(api, document_id, session, played)
            cost = await report.cost(api, document_id)
    console.print(_table(session, played, seconds, cost))
    for name, passed in checks.items():
        console.print(f"{'[green]✓' if passed else '[red]✗'}[/] {name}")
    console.print(f"document {document_id}: {get_settings().public_url}/api/v1/documents/{document_id}")
    return all(checks.values())


async def _document(api: httpx.AsyncClient) -> str:
    """A new document of a new organization of a new user."""
    account = {
        "email": f"demo-{secrets.token_hex(4)}@example.com",
        "password": secrets.token_urlsafe(16),
        "name": "Demo",
    }
    token = (await api.post("/auth/register", json=account)).raise_for_status().json()["access_token"]
    api.headers["authorization"] = f"Bearer {token}"
    org = (await api.post("/orgs", json={"name": "Demo"})).raise_for_status().json()
    document = await api.post(f"/orgs/{org['id']}/documents", json={"title": "A paper"})
    return str(document.raise_for_status().json()["id"])


async def _checks(api: httpx.AsyncClient, document_id: str, session: Trace, played: Played) -> dict[str, bool]:
    newest = await report.persisted(api, document_id, played.updates)
    snapshot = await api.get(f"/documents/{document_id}/revisions/{newest['number']}/state")
    seqs = report.moments(played)
    wrong = await report.mismatches(api, document_id, session, played, seqs)
    return {
        "the journal's replay is the paper": await report.travel(api, document_id, played.updates) == session.end,
        "the newest snapshot is the paper": report.text_of(snapshot.content) == session.end,
        "the exported Markdown is the paper": await report.export_markdown(api, document_id) == session.end,
        f"the text is right at seqs {', '.join(map(str, seqs))}": not wrong,
    }


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _table(session: Trace, played: Played, seconds: float, cost: Cost) -> Table:
    table = Table(title="What the session cost", show_header=False)
    rows = {
        "keystrokes": f"{len(session.keystrokes):,}",
        "updates": f"{played.updates:,}, of them {played.autosaves} autosaves over REST",
        "seconds": f"{seconds:.1f}",
        "updates/s": f"{played.updates / seconds:,.0f}",
        "journal": f"{played.payload_bytes:,} bytes of updates",
        "snapshots": f"{cost.snapshot_bytes:,} bytes for {cost.revisions} revisions",
        "newest snapshot": f"{cost.newest_snapshot_bytes:,} bytes for {len(session.end):,} characters",
        "flow runs": str(cost.flow_runs),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
