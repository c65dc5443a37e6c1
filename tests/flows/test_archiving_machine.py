"""A state machine over append, persist, archive and read: whatever the order, nothing is lost, doubled or reordered."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from flows import runtime
from flows.documents import persist_batch
from flows.runtime import Runtime
from infra.db import Database
from infra.settings import Settings
from models import archive, outbox, revisions
from models.archive import NothingToArchive, Plan
from models.documents import history
from models.documents.journal import Entry
from tests.flows.desk import Desk, new_desk, typing
from tests.flows.test_archiving import Interrupted, text_at

T = TypeVar("T")
LETTERS = st.text(alphabet="abc ", min_size=1, max_size=6)


def machine(pipeline: Settings) -> type[RuleBasedStateMachine]:
    """The machine for a deployment; it has an event loop of its own, and so connections of its own."""

    class Archiving(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.loop = asyncio.new_event_loop()
            self.do(self.begin())

        def do(self, work: Coroutine[Any, Any, T]) -> T:
            return self.loop.run_until_complete(work)

        async def begin(self) -> None:
            self.opening = runtime.opened_with(pipeline)
            self.worker: Runtime = await self.opening.__aenter__()
            self.owner = Database(pipeline.database_url.get_secret_value(), pool_size=2)
            self.desk: Desk = await new_desk(self.worker)
            self.document_id = await self.desk.document()
            self.plan = Plan(self.desk.org_id, self.document_id)
            self.payloads: list[bytes] = []
            self.typed = ""
            self.doc: Any = None

        @rule(word=LETTERS)
        def append(self, word: str) -> None:
            from pycrdt import Doc

            self.doc = self.doc or Doc()
            new = typing(word, doc=self.doc)
            assert self.do(self.desk.write(self.document_id, *new)) == list(
                range(len(self.payloads) + 1, len(self.payloads) + len(new) + 1)
            )
            self.payloads += new
            self.typed += word

        @rule(seq=st.integers(0, 50))
        @precondition(lambda self: self.payloads)
        def append_again(self, seq: int) -> None:
            """An update that comes twice, late: it has a place of its own, and changes nothing."""
            self.do(self.desk.write(self.document_id, payload := self.payloads[seq % len(self.payloads)]))
            self.payloads.append(payload)

        @rule()
        def persist(self) -> None:
            async def work() -> None:
                async with self.worker.db.transaction() as session:
                    subjects = [(self.desk.org_id, self.document_id)]
                    await outbox.emit(session, outbox.DOCUMENT_CHANGED, subjects)
                    claims = await outbox.claim(session, outbox.DOCUMENT_CHANGED, lease_id=uuid4(), limit=50, lease=60)
                mine = [claim for claim in claims if claim.subject_id == self.document_id]
                assert all(outcome.error is None for outcome in await persist_batch(self.worker, mine))

            self.do(work())

        @rule(steps=st.integers(0, 60))
        def archive(self, steps: int) -> None:
            """To its end, or killed on the way."""

            async def work() -> None:
                moving = archive.archive(self.owner, self.worker.store, self.plan, age=timedelta(0))
                try:
                    await Interrupted(moving, steps)
                except NothingToArchive:
                    pass

            self.do(work())

        @rule(share=st.floats(0, 1))
        @precondition(lambda self: self.payloads)
        def travel(self, share: float) -> None:
            seq = round(share * len(self.payloads))
            found = [entry.payload for entry in self.do(self.entries(upto=seq))]
            assert found == self.payloads[:seq]

        @invariant()
        def everything_is_there(self) -> None:
            assert [entry.payload for entry in self.do(self.entries())] == self.payloads
            if self.payloads:
                assert self.do(text_at(self.desk, self.document_id)) == self.typed

        async def entries(self, upto: int | None = None) -> list[Entry]:
            async with self.worker.db.transaction(org_ids=[self.desk.org_id]) as session:
                last = len(self.payloads) if upto is None else upto
                return await history.entries(session, self.worker.store, self.document_id, after=0, upto=last)

        def teardown(self) -> None:
            async def end() -> None:
                async with self.owner.transaction(org_ids=[self.desk.org_id]) as session:
                    findings = await revisions.verify(session, self.worker.store, self.document_id)
                assert all(finding.ok for finding in findings), findings
                await self.owner.close()
                await self.opening.__aexit__(None, None, None)

            self.do(end())
            self.loop.close()

    return Archiving


@pytest.mark.usefixtures("worker")
def test_nothing_is_lost_whatever_the_order(pipeline: Settings) -> None:
    profile = settings(
        max_examples=5, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(machine(pipeline), settings=profile)
