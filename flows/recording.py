"""Letting Prefect see the work of a long-lived worker, which is done without Prefect as well."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import State, StateType
from prefect.context import AsyncClientContext
from prefect.flow_engine import run_flow_async
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Failed, Scheduled
from pydantic_core import to_jsonable_python as to_jsonable

from flows import environment
from infra import clock, tracing
from infra.logging import get_logger
from infra.settings import Settings
from models.outbox import Claim
from models.pipeline import UnrecordedRun

log = get_logger(__name__)

BELIEVED_SECONDS = 3.0
"""So long it is taken for granted that Prefect is (not) there."""
ANSWER_SECONDS = 1.0
REQUEST_SECONDS = 5.0

OWED = 1000
"""So many runs are remembered until they are written down where they outlive the process."""
LATE = "recorded:later"


class Recorder:
    """Runs flows in this process, recorded by Prefect while Prefect is there."""

    def __init__(self, client: PrefectClient, tags: Sequence[str] = ()) -> None:
        """`tags` are those of every run: they tell this deployment's from others'."""
        self.client = client
        self.tags = tuple(tags)
        self.owed: deque[UnrecordedRun] = deque(maxlen=OWED)
        """Runs Prefect is to hear of later."""
        self.recorded = 0
        self.unrecorded = 0
        self._is_up = False
        self._believed_until = 0.0

    async def run(self, flow: Flow[..., Any], parameters: dict[str, Any], *, name: str, tags: Iterable[str]) -> None:
        """Run a flow once, at least: it has to find out itself what is done already.

        Where Prefect fails before, during or after it, the flow is called like any function.
        """
        if await self.is_up():
            try:
                await self._run_recorded(flow, parameters, name, tags)
            except Exception as error:
                if (task := asyncio.current_task()) and task.cancelling():
                    # That it ends could not be told to Prefect. It ends all the same, and does not begin again.
                    raise asyncio.CancelledError from error
                # The flow's own errors are states of its run, so this is Prefect's.
                log.warning("flow run not recorded", flow=flow.name, error=repr(error))
                self._believe(False)
            else:
                self.recorded += 1
                return
        self.unrecorded += 1
        await self._run_unrecorded(flow, parameters, name, tags)

    async def is_up(self) -> bool:
        """Whether the Prefect API answers, as of a moment ago."""
        if time.monotonic() >= self._believed_until:
            self._believe(await self._answers())
        return self._is_up

    async def _run_recorded(
        self, flow: Flow[..., Any], parameters: dict[str, Any], name: str, tags: Iterable[str]
    ) -> None:
        shown = flow.serialize_parameters(parameters)
        run = await self.client.create_flow_run(flow, name=name, parameters=shown, tags=[*tags, *self.tags])
        with tracing.span(f"flow {flow.name}") as span:
            span.note(flow_run_id=str(run.id), flow_run_name=name)
            await run_flow_async(flow, flow_run=run, parameters=parameters, return_type="state")

    async def _run_unrecorded(
        self, flow: Flow[..., Any], parameters: dict[str, Any], name: str, tags: Iterable[str]
    ) -> None:
        started = clock.now()
        state: State[Any] = Failed(message="it was interrupted")
        try:
            state = await flow.fn(**parameters)
        except BaseException as error:
            state = Failed(message=f"{type(error).__name__}: {error}")
            raise
        finally:
            claims = _claims(parameters)
            run = UnrecordedRun(
                flow=flow.name,
                name=name,
                tags=[*tags, *self.tags],
                parameters=to_jsonable(flow.serialize_parameters(parameters)),
                org_ids=sorted({claim.org_id for claim in claims}),
                subject_ids=[claim.subject_id for claim in claims],
                state=state.type.value,
                message=state.message or "",
                started_at=started,
                finished_at=clock.now(),
            )
            self.owed.append(run)

    async def record_late(self, run: UnrecordedRun) -> UUID:
        """Let Prefect know of a run that was done without it; the id it has from now on.

        Prefect gives states the time at which it hears of them, so the real times are in the message. A run is listed
        by the time it was scheduled for: that can lie in the past.
        """
        begun: State[Any] = Scheduled(scheduled_time=run.started_at)
        made = await self.client.create_flow_run(
            Flow(_done, name=run.flow), name=run.name, parameters=run.parameters, tags=[*run.tags, LATE], state=begun
        )
        began, ended = run.started_at.astimezone(UTC), run.finished_at.astimezone(UTC)
        when = f"{began:%Y-%m-%d %H:%M:%S} to {ended:%H:%M:%S} UTC"
        message = f"{run.message} (done from {when}, while Prefect was away)"
        end = State[Any](type=StateType(run.state), message=message)
        await self.client.set_flow_run_state(made.id, end, force=True)
        return made.id

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self.client.api_healthcheck() is None
        except TimeoutError:
            return False

    def _believe(self, is_up: bool) -> None:
        if is_up != self._is_up:
            log.info("prefect is back" if is_up else "prefect is gone")
        self._is_up = is_up
        self._believed_until = time.monotonic() + BELIEVED_SECONDS


@asynccontextmanager
async def opened(settings: Settings, tags: Sequence[str] = ()) -> AsyncIterator[Recorder]:
    """A recorder with one client for everything that runs in this block."""
    patience = {PREFECT_API_REQUEST_TIMEOUT: REQUEST_SECONDS, PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings({**environment.api(settings.prefect_ui_url), **patience}):
        async with AsyncClientContext() as context:
            yield Recorder(context.client, tags)


def _done() -> None:
    """What is recorded late is not run."""


def _claims(parameters: dict[str, Any]) -> list[Claim]:
    """What a run works on."""
    given = [*parameters.get("claims", []), parameters.get("claim")]
    return [claim for claim in given if isinstance(claim, Claim)]
