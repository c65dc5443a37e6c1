"""Autosaves that arrive together are journaled together: one transaction looks up who may write, and appends for all.

A commit costs the same for one edit as for fifty; what arrives during one shares the next. Whoever asked is answered
after the commit of their own edit, and for themselves: one that may not, or whose document is full, stops no other.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from infra import tracing
from infra.bus import Kind
from infra.db import Database
from infra.herald import Herald
from models import documents
from models.auth import Actor
from models.documents import DocumentFull, DocumentGone, Edit, OrganizationFull, journal
from models.errors import DoxieError, Forbidden, NotFound
from models.orgs import DocumentScope

EDITS_PER_COMMIT: Final = 200
BYTES_PER_COMMIT: Final = 16 * 1024 * 1024


@dataclass(slots=True, eq=False)
class _Save:
    actor: Actor
    document_id: UUID
    update: bytes
    seq: "asyncio.Future[int]"
    cause: str = field(default_factory=tracing.traceparent)


class Saver:
    """Journals edits of people. Has connections of its own: requests that wait for it may hold all others."""

    def __init__(self, url: str, herald: Herald) -> None:
        self._db = Database(url, pool_size=2)
        self._herald = herald
        self._waiting: list[_Save] = []
        self._saving: asyncio.Task[None] | None = None

    async def save(self, actor: Actor, document_id: UUID, update: bytes) -> int:
        """Journal an update that is known to apply, and tell who has the document open; its seq, once it is committed.

        Raises:
            DocumentGone, MayNot: as `documents.enter` says, or they only read.
            DocumentFull, OrganizationFull: the document is, or everything of its organization together.
        """
        save = _Save(actor, document_id, update, asyncio.get_running_loop().create_future())
        self._waiting.append(save)
        if self._saving is None:
            self._saving = asyncio.create_task(self._run())
        return await save.seq

    async def close(self) -> None:
        """Finish what has begun, and close the connections."""
        if self._saving is not None:
            await self._saving
        await self._db.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._settle(self._next())
        finally:
            self._saving = None

    def _next(self) -> list[_Save]:
        """The oldest, as many as a commit should have."""
        size = count = 0
        for save in self._waiting[:EDITS_PER_COMMIT]:
            size += len(save.update)
            if count and size > BYTES_PER_COMMIT:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _settle(self, batch: list[_Save]) -> None:
        """Answer everybody: with a seq, or with what is wrong with their own edit."""
        try:
            causes = [save.cause for save in batch]
            with tracing.span("commit autosaves", parent=causes[0], links=causes[1:]) as span:
                span.note(edits=len(batch))
                outcomes = await self._commit(batch)
        except (DocumentGone, DocumentFull) as error:
            for save in batch:
                if save.document_id in error.document_ids:
                    _answer(save, type(error)([save.document_id]))
            await self._again([save for save in batch if save.document_id not in error.document_ids])
        except DBAPIError as error:
            if len(batch) > 1 and not isinstance(error, OperationalError | InterfaceError):
                # Postgres is there and refuses something: find out whose. Nothing of the batch was committed.
                for save in batch:
                    await self._settle([save])
            else:
                _fail(batch, error)
        except Exception as error:  # whatever it is, somebody waits for it
            _fail(batch, error)
        else:
            for save, outcome in zip(batch, outcomes, strict=True):
                _answer(save, outcome)
                if isinstance(outcome, int):
                    self._herald.tell(save.document_id, Kind.UPDATE, save.update, outcome)

    async def _again(self, rest: list[_Save]) -> None:
        if rest:
            await self._settle(rest)

    async def _commit(self, batch: Sequence[_Save]) -> list[int | DoxieError]:
        org_ids = {org_id for save in batch for org_id in save.actor.org_ids}
        async with self._db.transaction(org_ids=org_ids) as session:
            scopes = await documents.enter_each(session, [(save.actor, save.document_id) for save in batch])
            outcomes = [_edit(save, scope) for save, scope in zip(batch, scopes, strict=True)]
            edits = [outcome for outcome in outcomes if isinstance(outcome, Edit)]
            seqs = iter(await journal.append(session, edits) if edits else [])
        return [next(seqs) if isinstance(outcome, Edit) else outcome for outcome in outcomes]


def _edit(save: _Save, scope: DocumentScope | NotFound | Forbidden) -> Edit | DoxieError:
    if isinstance(scope, DoxieError):
        return scope
    try:
        return documents.edit_by(scope, save.document_id, save.update, origin="rest")
    except (Forbidden, OrganizationFull) as error:
        return error


def _answer(save: _Save, outcome: int | Exception) -> None:
    if save.seq.done():
        return  # whoever asked has gone
    if isinstance(outcome, Exception):
        save.seq.set_exception(outcome)
    else:
        save.seq.set_result(outcome)


def _fail(batch: Sequence[_Save], error: Exception) -> None:
    for save in batch:
        _answer(save, error)
