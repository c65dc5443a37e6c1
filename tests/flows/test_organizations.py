"""The end of organizations: what is erased, and what is not."""

import json
from uuid import UUID

import pytest
from prefect.settings import temporary_settings
from sqlalchemy import text
from typer.testing import CliRunner

import models.migrations.tables  # noqa: F401 (every table)
from flows import environment, operating
from flows.cli import app
from flows.organizations import erase_organizations, report_key
from flows.runtime import Runtime, use
from infra.db import Database
from models import orgs
from models.base import OrgOwned
from models.documents import state
from models.orgs import OrgNotFound
from tests.flows.desk import Desk, dispatching, new_desk, settled, typing


async def _deleted(owner: Database, org_id: UUID, days: float) -> None:
    query = "UPDATE organizations SET deleted_at = now() - make_interval(secs => :secs) WHERE id = :org"
    async with owner.transaction() as session:
        await session.execute(text(query), {"org": org_id, "secs": days * 24 * 3600})


async def _rows(owner: Database, org_id: UUID) -> int:
    async with owner.transaction() as session:
        counts = [
            await session.scalar(
                text(f"SELECT count(*) FROM {table.__tablename__} WHERE org_id = :org"), {"org": org_id}
            )
            for table in OrgOwned.__subclasses__()
        ]
    return sum(count or 0 for count in counts)


async def test_what_is_over_is_erased_and_nothing_else(worker: Runtime, desk: Desk) -> None:
    owner = Database(worker.settings.database_url.get_secret_value(), pool_size=1)
    over, waiting, alive = desk, await new_desk(worker), await new_desk(worker)
    async with dispatching(worker):
        for each in (over, waiting, alive):
            document_id = await each.document()
            await each.write(document_id, *typing("words"))
            await settled(worker, [document_id])
    await _deleted(owner, over.org_id, days=30.01)
    await _deleted(owner, waiting.org_id, days=29.99)
    before = {each.org_id: await _rows(owner, each.org_id) for each in (over, waiting, alive)}
    assert len(await worker.store.list(f"orgs/{over.org_id}/")) > 0

    with use(worker), temporary_settings(environment.api(worker.settings.prefect_ui_url)):
        for _ in range(2):  # again changes nothing
            await erase_organizations()

    assert await _rows(owner, over.org_id) == 0
    assert await worker.store.list(f"orgs/{over.org_id}/") == []
    for each in (waiting, alive):
        assert await _rows(owner, each.org_id) == before[each.org_id]
        assert len(await worker.store.list(f"orgs/{each.org_id}/")) > 0
    report = json.loads(await worker.store.get(report_key(over.org_id)))
    assert (report["rows"]["document_updates"], report["rows"]["documents"]) == (5, 1)
    assert report["objects"] >= 1
    assert sum(report["rows"].values()) == before[over.org_id]
    await owner.close()


async def test_objects_that_cannot_be_deleted_keep_the_rows(
    worker: Runtime, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = Database(worker.settings.database_url.get_secret_value(), pool_size=1)
    await desk.document()
    key = state.snapshot_key(desk.org_id, "0" * 64)
    await worker.store.put(key, b"x")
    await _deleted(owner, desk.org_id, days=31)

    async def refuse(_self: object, key: str) -> None:
        raise OSError("no")

    with use(worker), temporary_settings(environment.api(worker.settings.prefect_ui_url)):
        with monkeypatch.context() as broken:
            broken.setattr(type(worker.store), "delete", refuse)
            with pytest.raises(Exception, match="OSError"):
                await erase_organizations.with_options(retries=0)()
        assert await _rows(owner, desk.org_id) > 0
        await erase_organizations()
    assert await _rows(owner, desk.org_id) == 0
    await owner.close()


async def test_an_operator_suspends_and_reactivates(
    worker: Runtime, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating, "get_settings", lambda: worker.settings)

    async def enter() -> None:
        async with worker.db.transaction(user_id=desk.actor.user_id, org_ids=[desk.org_id]) as session:
            await orgs.enter(session, desk.actor, desk.org_id)

    await enter()
    assert (await operating.suspend_org(desk.org_id, suspended=True)).suspended_at is not None
    with pytest.raises(OrgNotFound):
        await enter()
    await operating.suspend_org(desk.org_id, suspended=False)
    await enter()


def test_suspending_from_the_command_line(worker: Runtime, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating, "get_settings", lambda: worker.settings)
    run = CliRunner()
    assert run.invoke(app, ["admin", "suspend-org", str(desk.org_id)]).exit_code == 0
    assert run.invoke(app, ["admin", "reactivate-org", str(desk.org_id)]).exit_code == 0
    assert run.invoke(app, ["admin", "suspend-org", "00000000-0000-7000-8000-000000000000"]).exit_code == 1
