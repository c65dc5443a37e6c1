"""Letting Prefect see the work of a long-lived worker, which is done without Prefect as well."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.context import AsyncClientContext
from prefect.flow_engine import run_flow_async
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows import environment
from infra.logging import get_logger
from infra.settings import Settings

log = get_logger(__name__)

BELIEVED_SECONDS = 3.0
"""So long it is taken for granted that Prefect is (not) there."""
ANSWER_SECONDS = 1.0
REQUEST_SECONDS = 5.0


class Recorder:
    """Runs flows in this process, recorded by Prefect while Prefect is there."""

    def __init__(self, client: PrefectClient) -> None:
        self.client = client
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
                # The flow's own errors are states of its run, so this is Prefect's.
                log.warning("flow run not recorded", flow=flow.name, error=repr(error))
                self._believe(False)
            else:
                self.recorded += 1
                return
        self.unrecorded += 1
        await flow.fn(**parameters)

    async def is_up(self) -> bool:
        """Whether the Prefect API answers, as of a moment ago."""
        if time.monotonic() >= self._believed_until:
            self._believe(await self._answers())
        return self._is_up

    async def _run_recorded(
        self, flow: Flow[..., Any], parameters: dict[str, Any], name: str, tags: Iterable[str]
    ) -> None:
        shown = flow.serialize_parameters(parameters)
        run = await self.client.create_flow_run(flow, name=name, parameters=shown, tags=tags)
        await run_flow_async(flow, flow_run=run, parameters=parameters, return_type="state")

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
async def opened(settings: Settings) -> AsyncIterator[Recorder]:
    """A recorder with one client for everything that runs in this block."""
    patience = {PREFECT_API_REQUEST_TIMEOUT: REQUEST_SECONDS, PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings({**environment.api(settings.prefect_ui_url), **patience}):
        async with AsyncClientContext() as context:
            yield Recorder(context.client)
