"""The flow that makes documents of files."""

import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from sqlalchemy.ext.asyncio import AsyncSession

from flows import metrics, retrying, runtime
from flows.ledger import Ledger, Subject
from flows.runtime import Runtime
from models import imports, orgs, outbox, pipeline
from models.auth import Actor
from models.errors import DoxieError, Unavailable
from models.imports import Import, Item, Kind
from models.outbox import Claim

ATTEMPTS = 5
"""After so many an import has failed; what was taken in stays."""


@flow(name="import_documents", persist_result=False, result_storage=runtime.NOWHERE)
async def import_documents(import_id: UUID, org_id: UUID, claim: Claim | None = None) -> State[Any]:
    """Make a document of each thing in an uploaded file, with the rights of whoever uploaded it.

    Each thing is taken in once, however often this runs; one that is bad does not hold up the others.
    """
    async with runtime.opened() as worker:
        async with worker.db.transaction(org_ids=[org_id]) as session:
            wish = await imports.find(session, import_id)
            if claim is not None and claim.subject_id not in await outbox.held(session, claim.lease_id):
                return Completed(message="somebody else does it")
        ledger = Ledger("import", org_id, None, claim.attempts if claim else 1, runtime.flow_run_id())
        try:
            await _Importer(worker, wish, claim).run(ledger)
        except outbox.LeaseLost:
            return Completed(message="somebody else does it")
        except Exception as error:
            await _failed(worker, wish, ledger, claim, error)
            metrics.count("imports", "failed")
            return Failed(message=f"{type(error).__name__}: {error}")
        async with worker.db.transaction(org_ids=[org_id]) as session:
            report = await imports.items(session, wish)
    metrics.count("imports", "succeeded")
    taken = sum(item.state == "imported" for item in report)
    return Completed(message=f"{taken} of {len(report)} imported")


class _Importer:
    """One run of one import."""

    def __init__(self, worker: Runtime, wish: Import, claim: Claim | None) -> None:
        self.worker = worker
        self.wish = wish
        self.claim = claim
        self.actor = Actor(wish.requested_by, None, "", frozenset({wish.org_id}))

    async def run(self, ledger: Ledger) -> None:
        """Everything that is left.

        Raises:
            BadArchive: the file cannot be opened.
            LeaseLost: somebody else does it by now.
        """
        with ledger.step("import", Subject(self.wish.id), hash_in=self.wish.sha256):
            data = await self.worker.store.get(imports.object_key(self.wish.org_id, self.wish.sha256))
            archive = imports.unpacking.open_zip(data) if self.wish.kind == Kind.ZIP else None
            alone = [Item(0, self.wish.file_name, Kind(self.wish.kind))]
            found = list(imports.unpacking.items(archive)) if archive else alone
            async with self._transaction() as session:
                await imports.begin(session, self.wish, total=len(found))
                left = imports.left(found, await imports.items(session, self.wish))
            for item in left:
                await self._take(item, data, archive)
        async with self._transaction() as session:
            await imports.settle(session, self.wish, flow_run_id=ledger.flow_run_id)
            await pipeline.record(session, ledger.steps)
            if self.claim is not None:
                await outbox.confirm(session, self.claim)
                await outbox.settle(session, [self.claim])

    async def _take(self, item: Item, data: bytes, archive: zipfile.ZipFile | None) -> None:
        try:
            if item.problem is not None or item.kind is None:
                raise imports.BadItem(item.problem)
            content = data if archive is None else imports.unpacking.content_of(archive, item.position)
            look_up = imports.nothing_beside if archive is None else imports.beside(archive, item.path)
            converted = await imports.convert(item.path, item.kind, content, look_up)
            async with self._transaction() as session:
                scope = await orgs.enter(session, self.actor, self.wish.org_id)
                await imports.take_in(session, scope, self.wish, item, converted)
                await self._confirm(session)
        except (Unavailable, outbox.LeaseLost):
            raise
        except DoxieError as error:
            async with self._transaction() as session:
                await imports.refuse(session, self.wish, item, str(error))
                await self._confirm(session)

    async def _confirm(self, session: AsyncSession) -> None:
        if self.claim is not None:
            await outbox.confirm(session, self.claim)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        async with self.worker.db.transaction(user_id=self.actor.user_id, org_ids=self.actor.org_ids) as session:
            yield session


async def _failed(worker: Runtime, wish: Import, ledger: Ledger, claim: Claim | None, error: Exception) -> None:
    async with worker.db.transaction(org_ids=[wish.org_id]) as session:
        await pipeline.record(session, ledger.failed(error))
        if claim is not None and not retrying.is_pointless(error) and claim.attempts < ATTEMPTS:
            await outbox.retry(session, claim, error=repr(error), delay=retrying.delay(claim.attempts))
            return
        await imports.fail(session, wish, str(error), flow_run_id=ledger.flow_run_id)
        if claim is not None:
            await outbox.settle(session, [claim])
