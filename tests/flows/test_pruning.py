"""Old flow runs are forgotten by Prefect: this deployment's, and nobody else's."""

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import temporary_settings
from prefect.states import Completed

from flows import environment, pruning
from flows.alarms import check_backups
from infra import clock
from tests.conftest import Stack


async def test_old_flow_runs_of_this_deployment_are_forgotten(stack: Stack) -> None:
    tag, other = f"doxie:{clock.new_id()}", f"doxie:{clock.new_id()}"
    with temporary_settings(environment.api(stack.settings.prefect_ui_url)):
        async with get_client() as client:

            async def ended(name: str, of: str) -> None:
                run = await client.create_flow_run(check_backups, name=name, tags=[of])
                await client.set_flow_run_state(run.id, Completed(), force=True)

            await ended("old", tag)
            await ended("theirs", other)
            moment = clock.now()
            await ended("new", tag)
            assert await pruning.forget(client, tag, before=moment) == 1
            ours = FlowRunFilter(tags=FlowRunFilterTags(any_=[tag, other]))
            left = await client.read_flow_runs(flow_run_filter=ours, sort=FlowRunSort.ID_DESC, limit=10)
            assert sorted(run.name for run in left) == ["new", "theirs"]
