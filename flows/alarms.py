"""The flow that fails where backups or drills are missing, so that Prefect shows it, too."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import leases, runtime, watching


@flow(name="check_backups", flow_run_name=runtime.dated("check backups"))
async def check_backups() -> State[Any]:
    """Fail if there is no good backup, drill or archived log that is new enough."""
    async with runtime.opened() as worker, leases.held(worker, "check_backups"):
        health = await watching.look(worker)
    ages = {"log": health.log, "base backup": health.base, "dump": health.dump, "drill": health.drill}
    ages["backup of every organization"] = health.organizations
    rows = [{"what": name, "seconds old": age} for name, age in ages.items()]
    await runtime.show_table("backups", rows, "The newest good ones")
    if health.alarms:
        return Failed(message="; ".join(health.alarms))
    due = [f"{name} not before {at}" for name, at in health.not_due.items()]
    return Completed(message="; ".join(["all there and new enough", *due]))
