"""`python -m flows.deploy`: make the work pool and the deployments in Prefect match `prefect.yaml`."""

import asyncio
import importlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.schedules import construct_schedule
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import temporary_settings
from prefect.utilities.callables import parameter_schema

from flows import environment
from infra import logging
from infra.settings import Settings, get_settings

log = logging.get_logger(__name__)


def described() -> list[dict[str, Any]]:
    """The deployments of `prefect.yaml`."""
    path = Path(__file__).parent.parent / "prefect.yaml"
    deployments: list[dict[str, Any]] = yaml.safe_load(path.read_text())["deployments"]
    return deployments


async def deploy() -> list[str]:
    """Make Prefect match; the names of what is deployed. Doing it again changes nothing."""
    settings = get_settings()
    with temporary_settings(environment.api(settings.prefect_ui_url)):
        async with get_client() as client:
            await _ensure_pool(client, settings.work_pool)
            return [await _deploy(client, description, settings.work_pool) for description in described()]


def name_of(description: dict[str, Any], pool: str) -> str:
    """What a deployment is called: its pool tells it from another installation's on the same Prefect."""
    name = str(description["name"])
    return name if pool == Settings.model_fields["work_pool"].default else f"{name}, {pool}"


async def _ensure_pool(client: PrefectClient, pool: str) -> None:
    with suppress(ObjectAlreadyExists):
        # The worker fills in what else belongs to a pool of its type.
        await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))


async def _deploy(client: PrefectClient, description: dict[str, Any], pool: str) -> str:
    flow = _flow(description["entrypoint"])
    limit = description["concurrency_limit"]
    await client.create_deployment(
        flow_id=await client.create_flow_from_name(flow.name),
        name=name_of(description, pool),
        entrypoint=description["entrypoint"],
        description=description["description"],
        tags=description["tags"],
        schedules=[_schedule(schedule) for schedule in description["schedules"]],
        concurrency_limit=limit["limit"],
        concurrency_options=ConcurrencyOptions(collision_strategy=limit["collision_strategy"]),
        work_pool_name=pool,
        work_queue_name=description["work_pool"]["work_queue_name"],
        parameter_openapi_schema=parameter_schema(flow.fn).model_dump(mode="json"),
        enforce_parameter_schema=True,
        pull_steps=[],
    )
    return f"{flow.name}/{name_of(description, pool)}"


def _schedule(description: dict[str, Any]) -> DeploymentScheduleCreate:
    schedule = construct_schedule(cron=description["cron"], timezone=description.get("timezone", "UTC"))
    return DeploymentScheduleCreate(schedule=schedule, active=True)


def _flow(entrypoint: str) -> Flow[..., Any]:
    module, _, name = entrypoint.rpartition(".")
    flow: Flow[..., Any] = getattr(importlib.import_module(module), name)
    return flow


def main() -> None:
    """Deploy, and say what."""
    logging.configure("deploy")
    for name in asyncio.run(deploy()):
        log.info("deployed", deployment=name)


if __name__ == "__main__":
    main()
