"""The operators' commands, `doxie admin …`; only those that need Prefect import it, which takes seconds."""

import asyncio
import getpass
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from flows import operating
from models.documents.tables import QuarantinedUpdate
from models.errors import DoxieError
from models.orgs.quotas import MOST

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="What operators do.", pretty_exceptions_enable=False)
admin = typer.Typer(no_args_is_help=True, help="Accounts, documents and backups of this deployment.")
app.add_typer(admin, name="admin")

console = Console()


@admin.command("create-user")
def create_user(
    email: str,
    name: Annotated[str, typer.Option(help="How others see them; by default the address.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="Let them operate the deployment.")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password there.")] = False,
) -> None:
    """Create an account."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass()
    user = _run(operating.create_user(email, name=name or email, password=password, is_operator=operator))
    console.print(f"created {user.email} ({user.id})")


@admin.command()
def promote(email: str) -> None:
    """Make somebody an operator."""
    user = _run(operating.promote(email))
    console.print(f"{user.email} is an operator")


@admin.command("suspend-org")
def suspend_org(org_id: UUID) -> None:
    """Close an organization to everybody, at once; nothing is deleted."""
    organization = _run(operating.suspend_org(org_id, suspended=True))
    console.print(f"{organization.name} ({organization.id}) is suspended")


@admin.command("reactivate-org")
def reactivate_org(org_id: UUID) -> None:
    """Let a suspended organization go on."""
    organization = _run(operating.suspend_org(org_id, suspended=False))
    console.print(f"{organization.name} ({organization.id}) is open")


@admin.command()
def quota(
    org_id: UUID,
    members: Annotated[str | None, typer.Option(help="At most so many, or `default`.")] = None,
    documents: Annotated[str | None, typer.Option(help="At most so many, or `default`.")] = None,
    bytes_: Annotated[str | None, typer.Option("--bytes", help="Of all updates, or `default`.")] = None,
) -> None:
    """Show what an organization has and may have, after setting what is given. Nothing that is there goes."""
    given = {"members": members, "documents": documents, "bytes": bytes_}
    limits = {name: _limit(name, text) for name, text in given.items() if text is not None}
    if limits:
        _run(operating.set_quota(org_id, **limits))
    used = _run(operating.usage(org_id))
    table = Table("", "has", "may have", title=f"organization {org_id}")
    for name in given:
        limit = getattr(used.limits, name)
        table.add_row(name, str(getattr(used, name)), "any number" if limit is None else str(limit))
    console.print(table)


@admin.command("reset-factors")
def reset_factors(email: str) -> None:
    """Remove every second factor and passkey of somebody who lost theirs, and sign them out everywhere."""
    user = _run(operating.reset_factors(email))
    console.print(f"{user.email} signs in without a second factor, and is signed out everywhere")


@admin.command()
def verify(document_id: UUID) -> None:
    """Check the hash chain, the revisions and the newest snapshot of a document; exit 1 on damage."""
    findings = _run(operating.verify(document_id))
    table = Table("check", "result", "", title=f"document {document_id}")
    for finding in findings:
        table.add_row(finding.check, "[green]ok" if finding.ok else "[red]damaged", finding.detail)
    console.print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@admin.command()
def rebuild(document_id: UUID) -> None:
    """Have the pipeline fold a document again, now; its ledger shows what came of it."""
    _run(operating.rebuild(document_id))
    console.print(f"document {document_id} is due now")


@admin.command("rotate-keys")
def rotate_keys(
    after: Annotated[int, typer.Option(min=0, help="Seconds until the new key signs; it is published at once.")] = 60,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Let the old keys verify nothing any more, now.")
    ] = False,
) -> None:
    """Sign tokens with a new key. Nobody is logged out: the old ones verify until their tokens are over."""
    rotation = _run(operating.rotate_keys(after=timedelta(seconds=after), compromised=compromised))
    console.print(f"key {rotation.kid} signs from {rotation.signs_from:%Y-%m-%d %H:%M:%S} UTC")
    for kid in rotation.retired:
        console.print(f"key {kid} is retired")


@admin.command()
def quarantine(
    document_id: Annotated[UUID | None, typer.Argument(help="Only what hit this document.")] = None,
    update: Annotated[UUID | None, typer.Option(help="Show one of them, with its bytes.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the bytes of that one to a file.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 100,
) -> None:
    """Updates that were put aside because they do not apply: which, whose, when, and their bytes."""
    if update is not None:
        _show_quarantined(_run(operating.quarantined_update(update)), output)
        return
    for entry in _run(operating.quarantined(document_id, limit=limit)):
        place = "not journaled" if entry.seq is None else f"seq {entry.seq}"
        # A line each and no table: ids are to be copied, and a table would cut them where the terminal is narrow.
        console.print(
            f"{entry.id}  {entry.created_at:%Y-%m-%d %H:%M:%S}  document {entry.document_id}, {place},"
            f" {len(entry.payload)} bytes by {entry.actor_id} ({entry.origin}): {entry.error}",
            highlight=False,
            soft_wrap=True,
        )


def _show_quarantined(entry: QuarantinedUpdate, output: Path | None) -> None:
    if output is not None:
        output.write_bytes(entry.payload)
        console.print(f"{len(entry.payload)} bytes written to {output}")
        return
    console.print(f"document {entry.document_id}, by {entry.actor_id} ({entry.origin}): {entry.error}", highlight=False)
    for at in range(0, len(entry.payload), 32):
        console.print(f"{at:08x}  {entry.payload[at : at + 32].hex(' ', -4)}", highlight=False)


@admin.command()
def backup(
    base: Annotated[bool, typer.Option("--base", help="The whole cluster, for `restore --to`, and no dump.")] = False,
) -> None:
    """Back the database up, now."""
    made = _run(operating.back_up(base=base))
    console.print(f"{made.state}: {made.object_key or made.error}")
    if made.state != "succeeded":
        raise typer.Exit(1)


@admin.command("backup-org")
def backup_org(org_id: UUID) -> None:
    """Back one organization up by itself, now."""
    made = _run(operating.back_up_org(org_id))
    console.print(f"{made.state}: {made.id}, {made.object_key or made.error}", soft_wrap=True)
    if made.state != "succeeded":
        raise typer.Exit(1)


@admin.command("org-backups")
def org_backups(org_id: UUID) -> None:
    """The newest backups of one organization, with the ids that `restore-org --from` takes."""
    found = _run(operating.newest_org_backups(org_id))
    for entry in found:
        # A line each and no table: ids are to be copied, and a table would cut them where the terminal is narrow.
        about = f"{entry.rows} rows, {entry.documents} documents, {entry.objects} objects, {entry.bytes} bytes"
        at = entry.taken_at or entry.created_at
        told = entry.error if entry.state in ("failed", "incomplete") else about if entry.rows is not None else ""
        console.print(
            f"{entry.id}  {at:%Y-%m-%d %H:%M:%S}  {entry.kind:<9}  {entry.state}  {told}",
            highlight=False,
            soft_wrap=True,
        )
    if not found:
        console.print("none yet: `./doxie admin backup-org` makes one")


@admin.command()
def drill() -> None:
    """Restore the newest backup elsewhere, rebuild and compare everything; exit 1 on damage."""
    found = _run(operating.drill())
    table = Table(show_header=False, title=f"restore drill: {found.state}")
    for name in ("source", "restored_to", "rpo_seconds", "rto_seconds", "documents", "objects", "error"):
        table.add_row(name, str(getattr(found, name)))
    console.print(table)
    for finding in found.findings:
        console.print(f"[red]✗[/] {finding['check']} {finding['subject']}: {finding['detail']}")
    if found.state != "good":
        raise typer.Exit(1)


@admin.command()
def drills() -> None:
    """The newest restore drills."""
    table = Table("started", "state", "source", "RPO s", "RTO s", "documents", "objects", "findings", "error")
    for one in _run(operating.newest_drills()):
        numbers = (one.rpo_seconds, one.rto_seconds, one.documents, one.objects, len(one.findings))
        shown = [str(number if number is not None else "") for number in numbers]
        table.add_row(f"{one.started_at:%Y-%m-%d %H:%M:%S}", one.state, one.source, *shown, one.error)
    console.print(table)


SOURCE = typer.Option(
    "--from",
    help="A moment like 2026-05-01T12:00:00Z, the id of a backup of the organization (`org-backups`), or `latest`",
)
AS_NEW = typer.Option("--as-new", help="Leave what is there alone, and make another one of it.")


@admin.command("restore-document")
def restore_document(
    document_id: UUID, source: Annotated[str, SOURCE], as_new: Annotated[bool, AS_NEW] = False
) -> None:
    """Make a document what it was in a backup: by a forward edit, or from its rows where it is gone."""
    _show(_run(operating.restore(_source(source), document_id=document_id, as_new=as_new)))


@admin.command("restore-org")
def restore_org(org_id: UUID, source: Annotated[str, SOURCE], as_new: Annotated[bool, AS_NEW] = False) -> None:
    """Make every document of an organization what it was in a backup, and bring back what is gone."""
    _show(_run(operating.restore(_source(source), org_id=org_id, as_new=as_new)))


@admin.command()
def backups() -> None:
    """The newest backups."""
    table = Table("started", "state", "bytes", "sha256", "object", "error")
    for entry in _run(operating.newest_backups()):
        size, sha256 = str(entry.bytes or ""), (entry.sha256 or "")[:12]
        table.add_row(f"{entry.started_at:%Y-%m-%d %H:%M:%S}", entry.state, size, sha256, entry.object_key, entry.error)
    console.print(table)


@app.command("verify-export")
def verify_export(file: Path) -> None:
    """Check an archive of an organization with nothing but the archive; exit 1 on damage."""
    from models import exports

    verdict = _run(exports.verify_archive(file))
    for problem in verdict.problems:
        console.print(f"[red]damaged[/] {problem}", highlight=False)
    if verdict.problems:
        raise typer.Exit(1)
    console.print(f"{verdict.documents} documents and {verdict.files} files are what they say", highlight=False)


@app.command()
def demo(
    limit: Annotated[int | None, typer.Option(min=1, help="Play only so many keystrokes.")] = None,
) -> None:
    """Play a real editing session of 259 778 keystrokes through every part, check it, and show what it cost."""
    from flows.demo import run

    if not _run(run(limit)):
        raise typer.Exit(1)


def _limit(name: str, text: str) -> int | None:
    if text == "default":
        return None
    if not text.isdecimal() or int(text) > MOST:
        raise typer.BadParameter(f"a number or `default`, not {text}", param_hint=f"--{name}")
    return int(text)


def _source(text: str) -> UUID | datetime | None:
    """A backup by its id, a moment (UTC unless it says otherwise), or None for the newest backup."""
    if text == "latest":
        return None
    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        told = f"{text!r} is neither a moment like 2026-05-01T12:00:00Z, nor the id of a backup, nor `latest`"
        raise typer.BadParameter(told, param_hint="--from") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _show(lines: list[str]) -> None:
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Do it, or say in one line why not."""
    try:
        return asyncio.run(work)
    except (DoxieError, LookupError, RuntimeError, SQLAlchemyError) as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/]: {error}", highlight=False)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
