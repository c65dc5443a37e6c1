"""The restore drill: everything is restored somewhere else, rebuilt, and compared."""

import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from sqlalchemy import text

from flows import leases, runtime, scratch
from flows.runtime import Runtime
from infra import hashing, postgres_tools
from infra.db import Database
from infra.logging import get_logger
from infra.recovery import base as bases
from infra.recovery import examine
from infra.recovery.base import BaseDamaged, NoBackup
from infra.recovery.examine import Finding
from infra.recovery.server import RecoveryFailed
from infra.storage import ObjectMissing, ObjectStore
from models import archive, backups, revisions
from models.backups import BackupDamaged, Drill, shelf
from models.backups.shelf import Shelved
from models.documents import history

log = get_logger(__name__)

_DOCUMENTS = text("SELECT document_id FROM document_streams WHERE org_id = :org_id ORDER BY document_id")
_HEADS = text("SELECT document_id, org_id, seq, chain FROM document_streams ORDER BY document_id")
_HEAD = text("SELECT seq FROM document_streams WHERE document_id = :document_id")


@dataclass(slots=True)
class Report:
    """What was looked at, and what is wrong."""

    documents: int = 0
    objects: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, check: str, subject: object, detail: str) -> None:
        """Something is wrong."""
        self.findings.append(Finding(check, str(subject), detail))


@flow(name="restore_drill", flow_run_name=runtime.dated("restore drill"))
async def restore_drill() -> State[Any]:
    """Restore the newest backup into a scratch server, rebuild every document, and read every object it refers to.

    Then the same with the newest backup of one organization by itself, each time another one.
    """
    async with (
        runtime.opened() as worker,
        runtime.backup_store(worker) as store,
        runtime.owner(worker) as owner,
        leases.held(worker, "restore_drill"),
    ):
        drill = await carry_out(worker, store, owner)
    await runtime.show_table("drill", [_row(drill)], "What the restore drill showed")
    await runtime.show_table("findings", drill.findings, "What is damaged or missing")
    shown = (
        f"{drill.documents} documents, {drill.objects} objects, RPO {drill.rpo_seconds} s, RTO {drill.rto_seconds} s"
    )
    if drill.state != "good":
        log.error("restore drill", state=drill.state, findings=len(drill.findings), error=drill.error)
        return Failed(message=f"{drill.state}: {drill.error or drill.findings[0]}; {shown}")
    return Completed(message=shown)


async def carry_out(worker: Runtime, store: ObjectStore, owner: Database) -> Drill:
    """One drill, good or bad; it is recorded either way."""
    async with owner.transaction() as session:
        drill = await backups.begin_drill(session, flow_run_id=runtime.flow_run_id())
    work = worker.settings.home / f"drill-{drill.id}"
    work.mkdir(mode=0o700)
    report = Report()
    try:
        async with scratch.restored(worker, store, work) as found:
            drill.source, drill.restored_to, drill.rto_seconds = (
                found.source,
                found.restored_to,
                round(found.seconds, 2),
            )
            if found.restored_to is not None:
                drill.rpo_seconds = round((found.opened_at - found.restored_to).total_seconds(), 2)
            await compare(worker, owner, found.url, report)
        await _read_backups(worker, store, report)
        await organizations(worker, store, owner, work, report)
        drill.state = "bad" if report.findings else "good"
    except (BaseDamaged, RecoveryFailed, postgres_tools.CannotBackUp, NoBackup) as error:
        report.add("restore", drill.source or "backup", f"{type(error).__name__}: {error}")
        drill.state, drill.error = "bad", f"{type(error).__name__}: {error}"
    except Exception as error:
        log.exception("drill not carried out")
        drill.state, drill.error = "failed", f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(work, ignore_errors=True)
    drill.documents, drill.objects = report.documents, report.objects
    drill.findings = [asdict(finding) for finding in report.findings]
    async with owner.transaction() as session:
        await backups.end_drill(session, drill)
    return drill


async def compare(worker: Runtime, owner: Database, url: str, report: Report) -> None:
    """Rebuild every document of a restored database, read all it refers to, and hold it against the real one."""
    then = Database(url, pool_size=2)
    try:
        async with then.transaction() as session:
            orgs = await archive.organizations(session)
        for org_id in orgs:
            await _rebuild(then, worker.store, org_id, report)
        await _objects(then, worker.store, report)
        await _chains(then, owner, worker.store, report)
    finally:
        await then.close()


async def _rebuild(then: Database, store: ObjectStore, org_id: UUID, report: Report) -> None:
    async with then.transaction(org_ids=[org_id]) as session:
        documents = list(await session.scalars(_DOCUMENTS, {"org_id": org_id}))
    for document_id in documents:
        async with then.transaction(org_ids=[org_id]) as session:
            findings = await revisions.verify(session, store, document_id)
        report.documents += 1
        for finding in findings:
            if not finding.ok:
                report.add(finding.check, document_id, finding.detail)


async def _objects(then: Database, store: ObjectStore, report: Report) -> None:
    async with then.transaction() as session:
        referenced = await archive.referenced(session)
    for key, (kind, sha256) in referenced.items():
        report.objects += 1
        try:
            data = archive.content(kind, await store.get(key))
        except Exception as error:
            report.add(kind, key, f"{type(error).__name__}: {error}")
            continue
        if hashing.sha256_hex(data) != sha256:
            report.add(kind, key, "its hash is another one")


async def _chains(then: Database, owner: Database, store: ObjectStore, report: Report) -> None:
    """Every restored journal has to be the beginning of the real one."""
    async with then.transaction() as session:
        heads = list(await session.execute(_HEADS))
    for head in heads:
        async with owner.transaction(org_ids=[head.org_id]) as session:
            now = await session.scalar(_HEAD, {"document_id": head.document_id})
            if now is None:
                continue  # removed since
            if now < head.seq:
                report.add("real journal", head.document_id, f"it ends at seq {now}, the backup at {head.seq}")
                continue
            chain = await history.chain_within(session, store, head.document_id, head.seq)
        if chain != bytes(head.chain):
            report.add(
                "real journal", head.document_id, f"its chain at seq {head.seq} is another one than in the backup"
            )


async def _read_backups(worker: Runtime, store: ObjectStore, report: Report) -> None:
    """Also what this drill did not need: older base backups, and the log since the oldest of them."""
    if not worker.settings.wal_archive_seconds:
        return
    known = await bases.stored(store)
    current = [base for base in known if base.system == known[-1].system]
    report.findings += await examine.copies(store, current)
    files, findings = await examine.archive(store, current[0].system, current[0].start_segment)
    report.objects += files + len(current)
    report.findings += findings


async def organizations(worker: Runtime, store: ObjectStore, owner: Database, work: Path, report: Report) -> str | None:
    """Load the newest backup of the organization whose turn it is and rebuild all of it; read all others. Which.

    Only of the organizations that are here: the bucket may hold those of other installations too.
    """
    async with owner.transaction() as session:
        turn, here = await backups.count_drills(session), set(await archive.organizations(session))
    known = [one for one in await shelf.shelved(store) if one.org_id in here]
    newest = {one.org_id: one for one in known}
    chosen = sorted(newest)[turn % len(newest)] if newest else None
    for one in known:
        report.objects += 2
        try:
            if chosen is not None and one == newest[chosen]:
                await _load(worker, store, owner, work, one, report)
            else:
                await shelf.fetch(store, await shelf.manifest(store, one), work / "rows.zst")
        except (BackupDamaged, RecoveryFailed, ObjectMissing) as error:
            report.add("organization backup", one.folder, f"{type(error).__name__}: {error}")
    return newest[chosen].folder if chosen else None


async def _load(
    worker: Runtime, store: ObjectStore, owner: Database, work: Path, backup: Shelved, report: Report
) -> None:
    mine = Report()
    async with scratch.unpacked(worker, store, work, backup) as found:
        await compare(worker, owner, found.url, mine)
    runtime.note(f"{backup.folder}: {mine.documents} documents and {mine.objects} objects in {found.seconds:.1f} s")
    report.findings += mine.findings  # its documents have been counted


def _row(drill: Drill) -> dict[str, object]:
    shown = ("state", "source", "restored_to", "rpo_seconds", "rto_seconds", "documents", "objects", "error")
    return {name: getattr(drill, name) for name in shown}
