"""The composition of a worker process: what flows work with."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from prefect.artifacts import acreate_table_artifact
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from infra import clock
from infra.db import Database
from infra.logging import get_logger
from infra.settings import Settings, get_settings
from infra.storage import ObjectStore

log = get_logger(__name__)

NOWHERE = Path("results")
"""The `result_storage` of a flow that runs inside a long-lived process, with `persist_result=False`.

Nothing is ever written there. Without it, Prefect asks its server for a default at the start of each
run, by a synchronous call: a server that hangs would then stop the event loop of the worker.
"""


class Incomplete(RuntimeError):
    """A scheduled flow that is tried again has not done everything.

    Raised, because of a run that has retries left Prefect makes a returned `Failed` a run that awaits its retry, of
    which the process that ran it then says that it crashed.
    """


@dataclass(frozen=True, slots=True)
class Runtime:
    """What flows work with."""

    settings: Settings
    db: Database
    store: ObjectStore


_current: ContextVar[Runtime | None] = ContextVar("runtime", default=None)


@contextmanager
def use(runtime: Runtime) -> Iterator[None]:
    """Let the flows called in this block work with a runtime."""
    token = _current.set(runtime)
    try:
        yield
    finally:
        _current.reset(token)


@asynccontextmanager
async def opened(settings: Settings | None = None) -> AsyncIterator[Runtime]:
    """The runtime in use; where there is none (a run of a deployment), a new one that ends with the block."""
    runtime = _current.get()
    if runtime is not None:
        yield runtime
        return
    async with opened_with(settings or get_settings()) as runtime:
        with use(runtime):
            yield runtime


@asynccontextmanager
async def opened_with(settings: Settings) -> AsyncIterator[Runtime]:
    """A runtime for these settings, whatever is in use."""
    runtime = Runtime(settings, Database(settings.app_database_url.get_secret_value()), ObjectStore(settings))
    try:
        yield runtime
    finally:
        await runtime.db.close()
        await runtime.store.close()


@asynccontextmanager
async def owner(runtime: Runtime) -> AsyncIterator[Database]:
    """The database as the role that owns the tables: it sees all organizations, and may do what the doors may not."""
    db = Database(runtime.settings.database_url.get_secret_value(), pool_size=4)
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def backup_store(runtime: Runtime) -> AsyncIterator[ObjectStore]:
    """The bucket of the backups, made where it is missing."""
    store = ObjectStore(runtime.settings, runtime.settings.s3_backup_bucket)
    try:
        await store.ensure_bucket()
        yield store
    finally:
        await store.close()


def flow_run_id() -> UUID | None:
    """The Prefect flow run that this code runs in; None where work is done while Prefect is down."""
    context = FlowRunContext.get()
    return context.flow_run.id if context is not None and context.flow_run is not None else None


def dated(name: str) -> Callable[[], str]:
    """What the runs of a schedule are called: what they do, and when (UTC)."""
    return lambda: f"{name} {clock.now():%Y-%m-%d %H:%M}"


def note(message: str) -> None:
    """Say something in the log of the flow run; where there is none, in that of the process."""
    if FlowRunContext.get() is None:
        log.info(message)
    else:
        get_run_logger().info(message)


async def show_table(name: str, rows: Sequence[Mapping[str, object]], description: str) -> None:
    """Show a table beside the flow run; nowhere where Prefect is not there."""
    if FlowRunContext.get() is not None and rows:
        table = [{key: _shown(value) for key, value in row.items()} for row in rows]
        await acreate_table_artifact(table=table, key=name, description=description)


def _shown(value: object) -> object:
    return value if isinstance(value, int | float | str | None) else str(value)
