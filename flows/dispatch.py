"""From the outbox to flow runs: claims what is due and has it done, for as long as the process lives."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from flows import late, metrics, reaping, recording, retrying, runtime, watching
from flows.recording import Recorder
from flows.routes import Route, routes
from flows.runtime import Runtime
from infra import clock, tracing
from infra.logging import get_logger
from models import outbox, pipeline
from models.outbox import Claim

log = get_logger(__name__)

POLL_SECONDS = 0.5
"""So often it looks for what is due."""
REAP_SECONDS = 15.0
ORPHANS_SECONDS = 10.0
CATCH_UP_SECONDS = 5.0
GIVE_BACK_SECONDS = 1.0
ANSWER_SECONDS = 10.0
"""So long the database may take for a question of the worker's own: a connection may be dead and nobody has said so."""
DRAIN_SECONDS = 5.0
"""When it has to stop, work in progress gets so long to end."""


@dataclass(slots=True)
class Dispatcher:
    """The loop of one worker process."""

    runtime: Runtime
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hints: dict[outbox.Due, asyncio.Event] = field(default_factory=dict)
    """One for each route, set when it has something to do."""
    working: set[asyncio.Task[None]] = field(default_factory=set)
    recorder: Recorder | None = None
    leases: set[UUID] = field(default_factory=set)
    """Under which it works: that one has ended means that the database was away, not that a worker died."""

    async def run(self) -> None:
        """Work until `stop` is set; then finish, or give back, what has been begun."""
        with runtime.use(self.runtime):
            tag = await self._installed()
            async with recording.opened(self.runtime.settings, [tag]) as recorder, asyncio.TaskGroup() as loops:
                self.recorder = recorder
                helpers = [
                    loops.create_task(self._look()),
                    loops.create_task(self._listen()),
                    loops.create_task(self._free_orphans()),
                    loops.create_task(self._reap(recorder)),
                    loops.create_task(self._catch_up(recorder)),
                    loops.create_task(watching.watch(self.runtime)),
                ]
                for route in routes(self.runtime.settings):
                    self.hints[route.kind, route.apart] = asyncio.Event()
                    loops.create_task(self._serve(route, recorder))
                await self.stop.wait()
                for helper in helpers:
                    helper.cancel()
                for hint in self.hints.values():
                    hint.set()
                await self._drain()
                await self._remember(recorder)

    async def _serve(self, route: Route, recorder: Recorder) -> None:
        """Keep up to `route.at_once` batches of a kind going."""
        slots = asyncio.Semaphore(route.at_once)
        while await slots.acquire() and not self.stop.is_set():
            claims = await self._claim(route)
            if claims:
                task = asyncio.create_task(self._work(route, recorder, claims))
                self.working.add(task)
                task.add_done_callback(self.working.discard)
                task.add_done_callback(lambda _: slots.release())
            else:
                slots.release()
            if len(claims) < route.batch and not self.stop.is_set():
                hint = self.hints[route.kind, route.apart]
                await hint.wait()
                hint.clear()

    async def _claim(self, route: Route) -> list[Claim]:
        lease_id = clock.new_id()
        self.leases.add(lease_id)
        try:
            async with self._asking() as session:
                claims = await outbox.claim(
                    session,
                    route.kind,
                    lease_id=lease_id,
                    limit=route.batch,
                    lease=self.runtime.settings.lease_seconds,
                    apart=route.apart,
                    own=self.leases,
                )
        except Exception as error:
            log.warning("nothing claimed", kind=route.kind, error=repr(error))
            # It may have been committed all the same: then the lease ends, which nobody has to have died for.
            forgotten = 3 * self.runtime.settings.lease_seconds
            asyncio.get_running_loop().call_later(forgotten, self.leases.discard, lease_id)
            return []
        if not claims:
            self.leases.discard(lease_id)
        return claims

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[AsyncSession]:
        """A transaction of a moment."""
        async with asyncio.timeout(ANSWER_SECONDS), self.runtime.db.transaction() as session:
            yield session

    async def _work(self, route: Route, recorder: Recorder, claims: Sequence[Claim]) -> None:
        """Have one batch done under its lease."""
        keeper = asyncio.create_task(self._keep(claims[0]))
        began = time.monotonic()
        causes = [str(claim.payload.get(outbox.TRACEPARENT, "")) for claim in claims]
        try:
            with tracing.span(f"work on {route.kind}", parent=causes[0], links=causes[1:], kind="consumer") as span:
                span.note(events=len(claims), subject_id=str(claims[0].subject_id))
                await route.work(recorder, claims)
        except Exception:
            log.exception("batch failed", kind=route.kind)
        finally:
            metrics.batches.observe(time.monotonic() - began, route.kind)
            await asyncio.shield(self._give_back(claims, keeper))

    async def _keep(self, claim: Claim) -> None:
        """Prolong the lease for as long as the work goes on."""
        seconds = self.runtime.settings.lease_seconds
        while True:
            await asyncio.sleep(seconds / 3)
            try:
                async with self._asking() as session:
                    await outbox.extend(session, claim.lease_id, lease=seconds)
            except Exception as error:
                log.warning("lease not prolonged", kind=claim.kind, error=repr(error))

    async def _give_back(self, claims: Sequence[Claim], keeper: "asyncio.Task[None]") -> None:
        """Let what was begun and not ended be due again, once the database is back if it is away.

        A lease that ends counts against what was worked on, as if it had killed its worker.
        """
        try:
            await self._retry_unfinished(claims)
        finally:
            keeper.cancel()
            self.leases.discard(claims[0].lease_id)

    async def _retry_unfinished(self, claims: Sequence[Claim]) -> None:
        while True:
            try:
                async with self._asking() as session:
                    left = await outbox.held(session, claims[0].lease_id)
                    for claim in claims:
                        if claim.subject_id in left:
                            wait = 0.0 if self.stop.is_set() else retrying.delay_after_outage(claim.attempts)
                            await outbox.retry(session, claim, error="interrupted", delay=wait)
                return
            except Exception as error:
                log.warning("claims not given back", kind=claims[0].kind, error=repr(error))
                if self.stop.is_set() or not retrying.is_outage(error):
                    return  # the lease ends
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), GIVE_BACK_SECONDS)

    async def _look(self) -> None:
        """Find out now and then what is due: one question for all routes, most of which have nothing to do."""
        while True:
            try:
                async with self._asking() as session:
                    self._hint(*await outbox.due(session))
            except Exception as error:
                log.warning("not looked for what is due", error=repr(error))
            await asyncio.sleep(POLL_SECONDS * random.uniform(0.8, 1))  # noqa: S311 - no secret

    async def _listen(self) -> None:
        """Turn notifications into hints. Without them work begins a look later."""
        while True:
            try:
                async with self.runtime.db.listen(outbox.CHANNEL) as kinds:
                    async for kind in kinds:
                        self._hint((kind, False))
            except Exception as error:
                log.warning("not listening", error=repr(error))
            await asyncio.sleep(1)

    def _hint(self, *due: outbox.Due) -> None:
        for route in due:
            if route in self.hints:
                self.hints[route].set()

    async def _reap(self, recorder: Recorder) -> None:
        """Now and then, end the flow runs of workers that died, and set aside what has killed too many."""
        while True:
            await reaping.bury(self.runtime, own=self.leases)
            if await recorder.is_up():
                await reaping.reap(self.runtime, recorder)
            await asyncio.sleep(REAP_SECONDS)

    async def _free_orphans(self) -> None:
        """Let no batch wait for ever, with its lease prolonged, on a connection that leads nowhere."""
        while True:
            await asyncio.sleep(ORPHANS_SECONDS)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    if freed := await self.runtime.db.free_orphans():
                        log.warning("connections led nowhere", connections=freed)
            except Exception as error:
                log.warning("orphans not looked for", error=repr(error))

    async def _catch_up(self, recorder: Recorder) -> None:
        """Let Prefect hear, once it is back, of what was done without it."""
        while True:
            await asyncio.sleep(CATCH_UP_SECONDS)
            await self._remember(recorder)
            if await recorder.is_up():
                await late.record(self.runtime, recorder)

    async def _remember(self, recorder: Recorder) -> None:
        """Write down, where they outlive this process, the runs that Prefect has not heard of."""
        try:
            while recorder.owed:
                async with self._asking() as session:
                    await pipeline.owe(session, recorder.owed[0])
                recorder.owed.popleft()
        except Exception as error:
            log.warning("runs not written down", runs=len(recorder.owed), error=repr(error))

    async def _installed(self) -> str:
        """The tag of this deployment's runs; waits for the database."""
        while True:
            try:
                async with self._asking() as session:
                    return reaping.tag_of(await pipeline.installation(session))
            except Exception as error:
                log.warning("waiting for the database", error=repr(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), 1)
                return ""

    async def _drain(self) -> None:
        if not self.working:
            return
        log.info("stopping", batches=len(self.working))
        _, unfinished = await asyncio.wait(self.working, timeout=DRAIN_SECONDS)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
