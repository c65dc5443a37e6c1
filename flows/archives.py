"""Making an archive of an organization: streamed to S3 in parts, going on where a worker that died had come to."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from flows.ledger import Ledger, Subject
from flows.runtime import Runtime
from infra.storage import UploadGone
from models import exports, orgs, outbox, pipeline
from models.auth import Actor
from models.exports import Export, ExportPart, Zip, archiving
from models.outbox import Claim


@dataclass(frozen=True, slots=True)
class Archived:
    """What was made."""

    sha256: str
    bytes: int
    files: int


class Archiver:
    """One run of making one archive."""

    def __init__(self, worker: Runtime, export: Export, ledger: Ledger, claim: Claim | None) -> None:
        self.worker = worker
        self.export = export
        self.ledger = ledger
        self.claim = claim
        self.actor = Actor(export.requested_by, None, "", frozenset({export.org_id}))
        self.key = archiving.archive_key(export.org_id, export.id)
        self.parts: list[ExportPart] = []
        self.zip = Zip()
        self.done = 0
        self.noted = 0
        """Entries that are in parts."""

    async def make(self) -> Archived:
        """The archive, stored and read back.

        Raises:
            LeaseLost: somebody else makes it by now.
        """
        with self.ledger.step("archive", Subject(self.export.id)) as step:
            await self._resume()
            try:
                await self._write_documents()
                await self._finish()
            except UploadGone:
                await self._accept_finished()
            sha256, size = await self.worker.store.digest(self.key)
            step.hash_out, step.bytes_out = sha256, size
        async with self.worker.db.transaction(org_ids=[self.export.org_id]) as session:
            await exports.settle_archive(session, self.export, sha256, size, flow_run_id=self.ledger.flow_run_id)
            await pipeline.record(session, self.ledger.steps)
            if self.claim is not None:
                await outbox.confirm(session, self.claim)
                await outbox.settle(session, [self.claim])
        return Archived(sha256, size, len(self.zip.entries))

    async def _resume(self) -> None:
        """Take up what is there; where nothing is, begin."""
        async with self._transaction() as session:
            self.parts = await archiving.parts(session, self.export)
        if self.export.upload_id is None or not self.parts:
            await self._begin()
            return
        entries = [entry for part in self.parts for entry in part.entries]
        self.zip = Zip(sum(part.bytes for part in self.parts), entries)
        self.done, self.noted = self.export.done, len(entries)

    async def _begin(self) -> None:
        if self.export.upload_id is not None:
            await self.worker.store.abort_upload(self.key, self.export.upload_id)
        upload_id = await self.worker.store.begin_upload(self.key, "application/zip")
        total = 0
        async for _ in archiving.walk(self.actor, self.export.org_id, None, self._transaction):
            total += 1
        async with self._transaction() as session:
            self.export = await archiving.begin(session, self.export, upload_id=upload_id, total=total)
            await self._confirm(session)

    async def _write_documents(self) -> None:
        after = self.parts[-1].last_document if self.parts else None
        async for document_id in archiving.walk(self.actor, self.export.org_id, after, self._transaction):
            async with self._transaction() as session:
                filed = await archiving.file(session, self.worker.store, self.actor, document_id)
            if filed is not None:
                for path, data in filed.files.items():
                    about = {"document": filed.about} if path.endswith("/about.json") else {}
                    self.zip.add(path, data, **about)
            self.done += 1
            if self.zip.waiting >= self.worker.settings.archive_part_bytes:
                await self._store_part(document_id)

    async def _store_part(self, last: UUID) -> None:
        """Upload what is waiting, and note it: a worker that takes over goes on after it."""
        data, number = self.zip.take(), len(self.parts) + 1
        etag = await self.worker.store.upload_part(self.key, str(self.export.upload_id), number, data)
        part = ExportPart(
            org_id=self.export.org_id,
            export_id=self.export.id,
            number=number,
            etag=etag,
            bytes=len(data),
            last_document=last,
            entries=self.zip.entries[self.noted :],
        )
        async with self._transaction() as session:
            await archiving.note_part(session, self.export, part, done=self.done)
            await self._confirm(session)
        self.parts.append(part)
        self.noted = len(self.zip.entries)

    async def _finish(self) -> None:
        """The manifest and the last part. All but the upload's end can be repeated; that shows in the object."""
        async with self._transaction() as session:
            scope = await orgs.enter(session, self.actor, self.export.org_id)
            organization = await orgs.read(session, scope)
        head = {
            "format": archiving.FORMAT,
            "organization": {"id": str(organization.id), "name": organization.name},
            "export_id": str(self.export.id),
            "requested_by": str(self.export.requested_by),
            "requested_at": self.export.created_at.isoformat(),
        }
        self.zip.add("manifest.json", exports.manifest(head, self.zip.entries))
        self.zip.close()
        last = self.zip.take()
        number, upload_id = len(self.parts) + 1, str(self.export.upload_id)
        etag = await self.worker.store.upload_part(self.key, upload_id, number, last)
        await self.worker.store.finish_upload(self.key, upload_id, [*(part.etag for part in self.parts), etag])

    async def _accept_finished(self) -> None:
        """A worker that died may have finished the upload; else everything is made anew, next time."""
        if await self.worker.store.exists(self.key):
            return
        async with self._transaction() as session:
            await archiving.begin(session, self.export, upload_id=None, total=self.export.total)
        raise UploadGone(self.key)

    async def _confirm(self, session: AsyncSession) -> None:
        if self.claim is not None:
            await outbox.confirm(session, self.claim)

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.worker.db.transaction(user_id=self.actor.user_id, org_ids=self.actor.org_ids)
