"""`./doxie up`: one run of a stack in the foreground."""

import time
from collections.abc import Callable, Collection
from pathlib import Path

import typer

from infra.stack import home as homes
from infra.stack import lock, orphans, plan, services
from infra.stack.errors import StackError
from infra.stack.files import write_env
from infra.stack.home import Home
from infra.stack.plan import Plan
from infra.stack.progress import Progress
from infra.stack.supervisor import Supervisor


async def run(path: Path | None, *, only: Collection[str], reloading: bool, ready: Callable[[], None]) -> None:
    """Start a stack, call `ready`, and keep it running until a signal stops it.

    Raises:
        StackError: it cannot start or go on; nothing of it is left running.
    """
    began = time.monotonic()
    home = homes.create(path)
    held = lock.acquire(home)
    try:
        await _run(home, began, only=only, reloading=reloading, ready=ready)
    finally:
        lock.release(held)


async def _run(home: Home, began: float, *, only: Collection[str], reloading: bool, ready: Callable[[], None]) -> None:
    _clear_up(home)
    decided = plan.make(home)
    nodes = services.table(decided)
    wanted = services.only(nodes, only) if only else nodes

    def announce() -> None:
        _announce(decided, {node.name for node in wanted}, time.monotonic() - began)
        ready()

    write_env(home.environment, decided.settings)
    try:
        await Supervisor(home, wanted, Progress(), reloading=reloading).run(announce)
    finally:
        home.environment.unlink(missing_ok=True)


def _clear_up(home: Home) -> None:
    """End what a killed supervisor of this home left, should its guard not have done so yet."""
    if not orphans.end({orphans.HOME: str(home.root)}, grace=orphans.GRACE_SECONDS):
        raise StackError(f"processes of an earlier run in {home.root} cannot be killed")


def _announce(decided: Plan, running: Collection[str], seconds: float) -> None:
    settings = decided.settings
    places = [
        ("api", "app", settings["DOXIE_PUBLIC_URL"]),
        ("api", "API docs", f"{settings['DOXIE_PUBLIC_URL']}/docs"),
        ("collab", "editors", settings["DOXIE_COLLAB_URL"]),
        ("prefect", "flows", settings["DOXIE_PREFECT_UI_URL"]),
    ]
    typer.echo(f"\nDoxie is ready in {seconds:.1f} s.")
    for service, name, url in places:
        if service in running:
            typer.echo(f"  {name:<9} {url}")
    typer.echo(f"  {'home':<9} {decided.home.root}\n")
