"""The pipeline at its worst: documents that fail for ever, workers that die, Prefect away, two deployments on one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import temporary_settings
from prefect.states import Completed, Pending, Running
from pycrdt import Doc
from sqlalchemy import text

from flows import environment, persisting, reaping, recording, runtime, watching
from flows.alarms import check_backups
from flows.backups import nightly_backup
from flows.documents import persist_documents
from flows.runtime import Runtime
from infra import clock
from models import backups, orgs, outbox, pipeline
from models.documents import state
from models.pipeline import Filter
from tests.flows.desk import Desk, dispatching, ended, flow_run, port_of, settled, typing, until
from tests.flows.valve import Valve


async def event(worker: Runtime, subject: UUID) -> Any:
    async with worker.db.transaction() as session:
        query = text("SELECT * FROM outbox WHERE subject_id = :id")
        return (await session.execute(query, {"id": subject})).one_or_none()


async def is_set_aside(worker: Runtime, subject: UUID) -> bool:
    found = await event(worker, subject)
    return found is not None and found.set_aside_at is not None


async def broken(worker: Runtime, desk: Desk) -> tuple[UUID, str, bytes]:
    """A document whose snapshot is gone, so that nothing more of it can be folded; the snapshot."""
    document_id, doc = await desk.document(), Doc[Any]()
    await desk.write(document_id, *typing("first", doc=doc))
    async with dispatching(worker):
        await settled(worker, [document_id])
    [base] = await desk.revisions(document_id)
    key = state.snapshot_key(desk.org_id, str(base.sha256))
    frame = await worker.store.get(key)
    await worker.store.delete(key)
    await desk.write(document_id, *typing(" second", doc=doc))
    return document_id, key, frame


async def test_what_fails_for_ever_is_set_aside_shown_and_replayed(
    worker: Runtime, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.retrying.FIRST_SECONDS", 0.01)
    bad, key, frame = await broken(worker, desk)
    good = await desk.document()
    async with dispatching(worker):
        await until(partial(is_set_aside, worker, bad), 60)
        await desk.write(good, *typing("fine"))
        await settled(worker, [good])
        found = await event(worker, bad)
        assert found.faults == outbox.ENOUGH
        assert found.due_at > clock.now() + timedelta(seconds=20)
        # One more edit does not bring it back: it would fail once more for each.
        await desk.write(bad, *typing("!"))
        assert (await event(worker, bad)).due_at == found.due_at
        async with worker.db.transaction() as session:
            [backlog] = [one for one in await outbox.backlog(session) if one.kind == outbox.DOCUMENT_CHANGED]
        assert (backlog.events, backlog.set_aside) == (0, 1)

        async with worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
            scope = await orgs.enter(session, desk.actor, desk.org_id)
            [shown] = await pipeline.page(session, scope, Filter(state="set_aside"))
            assert (shown.document_id, shown.pipeline, shown.step) == (bad, "persist", "set aside")
            assert await pipeline.page(session, scope, Filter(state="set_aside", until=shown.started_at)) == []
        await worker.store.put(key, frame)
        async with worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
            scope = await orgs.enter(session, desk.actor, desk.org_id)
            assert await pipeline.replay_range(session, scope, Filter(state="set_aside")) == 1
        await settled(worker, [bad])
    assert [revision.state for revision in await desk.revisions(bad)] == ["stored", "stored", "stored"][
        : len(await desk.revisions(bad))
    ]


async def test_an_outage_is_nobodys_fault(worker: Runtime) -> None:
    try:
        raise state.StateUnavailable("no answer") from ConnectionRefusedError()
    except state.StateUnavailable as error:
        outage = error
    from flows import retrying

    assert retrying.delay_of(outage, 50)[1] is False
    assert retrying.delay_of(outage, 50)[0] <= retrying.OUTAGE_SECONDS
    assert retrying.delay_of(ValueError(), 50)[1] is True


async def test_what_kills_its_workers_is_set_aside(worker: Runtime, desk: Desk) -> None:
    deadly, fine = await desk.document(), await desk.document()
    await desk.write(deadly, *typing("deadly"))
    await desk.write(fine, *typing("fine"))

    async def die(*, apart: bool) -> set[UUID]:
        """Claim what is due, and vanish: the lease ends."""
        async with worker.db.transaction() as session:
            await session.execute(text("UPDATE outbox SET due_at = now()"))
            lease = uuid4()
            kind = outbox.DOCUMENT_CHANGED
            claims = await outbox.claim(session, kind, lease_id=lease, limit=1 if apart else 10, lease=60, apart=apart)
        async with worker.db.transaction() as session:
            await session.execute(text("UPDATE outbox SET leased_until = now() WHERE lease_id = :id"), {"id": lease})
        return {claim.subject_id for claim in claims}

    for _ in range(outbox.SUSPECT):
        assert await die(apart=False) == {deadly, fine}
    await die(apart=False)
    assert await die(apart=False) == set()  # suspects are not given out with others any more
    async with worker.db.transaction() as session:
        await session.execute(text("UPDATE outbox SET lease_id = NULL WHERE subject_id = :id"), {"id": fine})
        await session.execute(text("UPDATE outbox SET leased_until = NULL WHERE subject_id = :id"), {"id": fine})
        await session.execute(text("UPDATE outbox SET faults = 5 WHERE subject_id = :id"), {"id": deadly})
    await reaping.bury(worker)
    assert await is_set_aside(worker, deadly)
    [note] = [step for step in await desk.ledger(deadly) if step.state == "set_aside"]
    assert "died" in str(note.error)
    async with dispatching(worker):
        await settled(worker, [fine])


async def test_a_worker_that_could_not_prolong_its_lease_is_not_dead(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("fine"))

    async def again(lease: UUID, *own: UUID) -> int:
        """Claim it under a lease that ends at once; its faults."""
        async with worker.db.transaction() as session:
            await session.execute(text("UPDATE outbox SET due_at = now() WHERE subject_id = :id"), {"id": document_id})
            kind = outbox.DOCUMENT_CHANGED
            await outbox.claim(session, kind, lease_id=lease, limit=10, lease=-1, own=own)
        return int((await event(worker, document_id)).faults)

    mine, theirs = uuid4(), uuid4()
    assert await again(mine) == 0
    assert await again(mine, mine) == 0
    assert await again(theirs) == 1, "nobody says that it lives"
    async with worker.db.transaction() as session:
        await session.execute(text("UPDATE outbox SET faults = 5 WHERE subject_id = :id"), {"id": document_id})
    await reaping.bury(worker, own=[theirs])
    assert not await is_set_aside(worker, document_id)
    await reaping.bury(worker)
    assert await is_set_aside(worker, document_id)


async def test_what_is_set_aside_is_tried_less_and_less(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("bad"))
    pauses = []
    for _ in range(outbox.ENOUGH + 8):
        async with worker.db.transaction() as session:
            await session.execute(text("UPDATE outbox SET due_at = now() WHERE subject_id = :id"), {"id": document_id})
            claims = [
                claim
                for apart in (False, True)
                for claim in await outbox.claim(
                    session, outbox.DOCUMENT_CHANGED, lease_id=uuid4(), limit=10, lease=60, apart=apart
                )
            ]
            await outbox.retry(session, claims[0], error="bad", delay=1, fault=True)
            query = text("SELECT due_at - now() FROM outbox WHERE subject_id = :id")
            pauses.append((await session.scalar(query, {"id": document_id})).total_seconds())
    assert pauses == [1] * (outbox.ENOUGH - 1) + [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


async def test_a_replay_does_not_stick(worker: Runtime, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    document_id = await desk.document()
    await desk.write(document_id, *typing("once"))
    async with dispatching(worker):
        await settled(worker, [document_id])
        original = persisting._save

        async def save_slowly(*args: Any, **options: Any) -> None:
            await desk.write(document_id, *typing("meanwhile"))
            monkeypatch.setattr(persisting, "_save", original)
            await original(*args, **options)

        monkeypatch.setattr(persisting, "_save", save_slowly)
        async with worker.db.transaction() as session:
            subjects = [(desk.org_id, document_id)]
            await outbox.emit(session, outbox.DOCUMENT_CHANGED, subjects, payload={"replay_of": "x"})
        await until(partial(waits_without_payload, worker, document_id))
        await settled(worker, [document_id])


async def waits_without_payload(worker: Runtime, document_id: UUID) -> bool:
    """What came meanwhile is an ordinary event; or it is done already."""
    found = await event(worker, document_id)
    return found is None or (found.lease_id is None and found.payload == {})


async def test_what_was_done_without_prefect_is_recorded_later(worker: Runtime, desk: Desk) -> None:
    document_id = await desk.document()
    async with Valve(port_of(worker.settings.prefect_ui_url)) as valve:
        await valve.close()
        async with dispatching(worker, prefect_ui_url=f"http://127.0.0.1:{valve.port}"):
            await desk.write(document_id, *typing("unseen"))
            await settled(worker, [document_id], 30)
            assert {step.flow_run_id for step in await desk.ledger(document_id)} == {None}
            await valve.open()
            await until(partial(is_named, desk, document_id), 60)
    [flow_run_id] = {step.flow_run_id for step in await desk.ledger(document_id)}
    [revision] = await desk.revisions(document_id)
    assert revision.flow_run_id == flow_run_id
    run = await ended(worker, flow_run_id)
    assert run.state_name == "Completed"
    assert recording.LATE in run.tags
    assert f"doc:{document_id}" in run.tags
    # Prefect gives its own times to states: the real ones are where it lists the run, and in the message.
    [stored, *_] = [step for step in await desk.ledger(document_id) if step.step == "fold"]
    assert run.state is not None and run.expected_start_time is not None
    assert run.expected_start_time <= stored.started_at < run.state.timestamp
    assert f"(done from {run.expected_start_time:%Y-%m-%d %H:%M:%S} to " in str(run.state.message)


async def is_named(desk: Desk, document_id: UUID) -> bool:
    return None not in {step.flow_run_id for step in await desk.ledger(document_id)}


async def test_deployments_on_one_prefect_leave_each_others_runs_alone(worker: Runtime, desk: Desk) -> None:
    async with worker.db.transaction() as session:
        mine = reaping.tag_of(await pipeline.installation(session))
    runs: dict[str, UUID] = {}
    async with recording.opened(worker.settings, [mine]) as recorder:
        for name, tag in {"mine": mine, "theirs": reaping.tag_of(uuid4())}.items():
            tags = ["kind:persist", f"lease:{uuid4()}", tag]
            run = await recorder.client.create_flow_run(persist_documents, tags=tags, state=Running())
            runs[name] = run.id
        await asyncio.sleep(0.1)
        assert await reaping.reap(impatient(worker), recorder) >= 1
    assert (await flow_run(worker, runs["mine"])).state_name == "Crashed"
    assert (await flow_run(worker, runs["theirs"])).state_name == "Running"


async def scheduled(worker: Runtime, state: State[Any], *, pool: str | None = None) -> UUID:
    """A run as a deployment's is, in this installation's pool or in another's."""
    name = pool or worker.settings.work_pool
    with temporary_settings(environment.api(worker.settings.prefect_ui_url)):
        async with get_client() as client:
            with suppress(ObjectAlreadyExists):
                await client.create_work_pool(WorkPoolCreate(name=name, type="process"))
            return (await client.create_flow_run(nightly_backup, state=state, work_pool_name=name)).id


def impatient(worker: Runtime) -> Runtime:
    """A worker that takes a run for dead as soon as its lease has ended."""
    return Runtime(worker.settings.model_copy(update={"lease_seconds": 0.0}), worker.db, worker.store)


async def reap(worker: Runtime) -> None:
    async with recording.opened(worker.settings, ["doxie:nobody"]) as recorder:
        await reaping.reap(worker, recorder)


async def hold(worker: Runtime, run_id: UUID, seconds: float) -> None:
    async with worker.db.transaction() as session:
        await pipeline.hold(session, run_id, "nightly_backup", seconds=seconds)


async def holds(worker: Runtime, run_id: UUID) -> bool:
    async with worker.db.transaction() as session:
        return bool(await pipeline.leased(session, [run_id]))


async def test_a_scheduled_run_whose_process_died_is_ended(worker: Runtime, desk: Desk) -> None:
    run_id = await scheduled(worker, Running())
    async with worker.db.transaction() as session:
        backup = await backups.begin(session, kind="dump", flow_run_id=run_id)
    await hold(worker, run_id, -1)
    await reap(worker)
    assert (await flow_run(worker, run_id)).state_name == "Running", "it may be one that is tried again"
    await reap(impatient(worker))
    assert (await flow_run(worker, run_id)).state_name == "Crashed"
    assert not await holds(worker, run_id)
    async with worker.db.transaction() as session:
        [found] = [one for one in await backups.newest(session) if one.id == backup.id]
    assert (found.state, found.error) == ("failed", "the process that made it died")


async def test_a_scheduled_run_that_died_before_it_took_a_lease_is_ended(worker: Runtime, desk: Desk) -> None:
    running, pending = await scheduled(worker, Running()), await scheduled(worker, Pending())
    alive = await scheduled(worker, Running())
    theirs = await scheduled(worker, Running(), pool="another installation")
    await hold(worker, alive, 600)
    await reap(worker)
    names = [(await flow_run(worker, run_id)).state_name for run_id in (running, pending)]
    assert names == ["Running", "Pending"], "a run has time to start"
    await reap(impatient(worker))
    for run_id, name in {running: "Crashed", pending: "Crashed", alive: "Running", theirs: "Running"}.items():
        assert (await flow_run(worker, run_id)).state_name == name


async def test_a_scheduled_run_that_ended_keeps_its_state(worker: Runtime, desk: Desk) -> None:
    run_id = await scheduled(worker, Completed())
    await hold(worker, run_id, 600)
    await reap(impatient(worker))
    assert await holds(worker, run_id)
    await hold(worker, run_id, -1)
    await reap(impatient(worker))
    assert not await holds(worker, run_id)
    assert (await flow_run(worker, run_id)).state_name == "Completed"


@asynccontextmanager
async def installed(worker: Runtime, ago: timedelta) -> AsyncIterator[None]:
    """As if this installation were there for so long, during the block."""
    moved = text("UPDATE installation SET created_at = created_at - :ago")
    async with runtime.owner(worker) as owner:
        async with owner.transaction() as session:
            await session.execute(moved, {"ago": ago})
        yield
        async with owner.transaction() as session:
            await session.execute(moved, {"ago": -ago})


async def test_nothing_is_missed_before_its_first_time(worker: Runtime, desk: Desk) -> None:
    friday = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    assert {name: f"{at:%a %d %H:%M}" for name, at in watching.first_due(friday).items()} == {
        "drill": "Mon 04 04:41",
        "dump": "Sat 02 03:17",
        "base": "Fri 01 12:23",
        "organizations": "Sat 02 01:37",
    }
    async with worker.db.transaction() as session:
        made, _ = await backups.last_good(session)
    young = await watching.look(worker)
    assert not any("restore drill" in alarm for alarm in young.alarms)
    assert set(young.not_due) == {"drill", "dump", "base", "organizations"} - set(made)
    async with installed(worker, timedelta(days=9)):
        old = await watching.look(worker)
    assert "no good restore drill for 8 days" in old.alarms
    assert old.not_due == {}


async def test_missing_backups_raise_the_alarm(worker: Runtime, desk: Desk) -> None:
    settings = worker.settings.model_copy(update={"drill_days": 0.0})
    old = Runtime(settings, worker.db, worker.store)
    here = environment.api(worker.settings.prefect_ui_url)
    async with installed(worker, timedelta(days=9)):
        health = await watching.look(old)
        with runtime.use(old), temporary_settings(here):
            failed = await check_backups(return_state=True)
    assert "no good restore drill for 0 days" in health.alarms
    assert health.log is not None
    assert failed.is_failed()
    assert "no good restore drill" in str(failed.message)


async def test_metrics_say_what_waits(worker: Runtime, desk: Desk) -> None:
    async with installed(worker, timedelta(days=9)), dispatching(worker) as dispatcher:
        await until(partial(has_looked, "no good restore drill for 8 days"))
        from flows import metrics

        shown = await metrics.text(worker, dispatcher.recorder)
    assert 'doxie_outbox_set_aside{kind="document.changed"}' in shown
    assert 'doxie_alarms{alarm="no good restore drill for 8 days"} 1' in shown
    assert 'doxie_flows_cpu_seconds_total{process="worker"}' in shown
    assert "doxie_log_archive_failures_total" in shown


async def has_looked(alarm: str) -> bool:
    seen = watching.newest()
    return seen is not None and alarm in seen.alarms


def test_the_worker_says_it(worker: Runtime) -> None:
    answer = httpx.get(f"http://127.0.0.1:{worker.settings.flows_port}/readyz").json()
    assert "alarms" in answer["backups"]
