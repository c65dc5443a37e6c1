"""Keep one service running: start it, wait until it answers, restart it when it dies."""

import asyncio
import math
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping

from infra.stack import logs, orphans, probes, process
from infra.stack.errors import NotReady, StackError
from infra.stack.home import Home
from infra.stack.service import Service
from infra.stack.state import Entry, State

QUICK_SECONDS = 2.0
"""A service that dies before it is ready, or sooner than this after, dies quickly …"""
QUICK_DEATHS = 5
"""… and is given up after so many in a row, if it never lived longer. What did is started again for ever: the
stack of a team does not end because one of its services cannot run for a while."""
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 2.0


class Runner:
    """One service of one run."""

    def __init__(
        self,
        service: Service,
        home: Home,
        state: State,
        *,
        marks: Mapping[str, str],
        note: Callable[[str], None],
        patient: bool,
    ) -> None:
        """`marks` tell its descendants from all others; a `patient` runner never gives up."""
        self.service = service
        self._log = home.log(service.name)
        self._state = state
        self._marks = dict(marks) | {orphans.SERVICE: service.name}
        self._note = note
        self._patient = patient
        self._process: Process | None = None
        self._log_start = 0
        self._ready_at: float | None = None
        self._reloading = False

    async def start(self) -> None:
        """Start the service for the first time and wait until it answers.

        Raises:
            StackError: it does not.
        """
        logs.rotate(self._log)
        self._state.put(self.service.name, Entry(pid=None, port=self.service.port, url=self.service.url))
        if self.service.prepare is not None:
            await self.service.prepare()
        await self._launch()
        if self.service.settle is not None:
            await self.service.settle()

    async def keep(self) -> None:
        """Restart the service whenever it ends, until cancelled.

        Raises:
            StackError: it never lived, and keeps dying.
        """
        lived, quick_deaths = False, 0
        while True:
            returncode = await self._running.wait()
            quickly = self._died_quickly()
            lived = lived or not quickly
            quick_deaths = quick_deaths + 1 if quickly and not self._reloading else 0
            if quick_deaths >= QUICK_DEATHS and not lived and not self._patient:
                raise StackError(f"{self._failure(returncode)} — {quick_deaths} times in a row, giving up")
            await self._clear_up(returncode)
            await asyncio.sleep(self._delay(quick_deaths))
            await self._relaunch()

    async def reload(self) -> None:
        """Stop the service so that `keep` starts it anew with the changed code."""
        self._reloading = True
        await process.stop(self._running, self.service.stop_signal, self.service.stop_seconds)

    async def stop(self) -> None:
        """End the service and everything it started; `keep` must have been cancelled."""
        if self._process is not None:
            await process.stop(self._process, self.service.stop_signal, self.service.stop_seconds)
            await self._end_orphans()

    def kill(self) -> None:
        """End it now: whoever waits for it to stop gets what they wait for."""
        if self._process is not None:
            process.kill_group(self._process.pid)

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError(f"{self.service.name} was never started")
        return self._process

    async def _relaunch(self) -> None:
        restarts = self._state.get(self.service.name).restarts + 1
        self._state.change(self.service.name, restarts=restarts)
        try:
            if self.service.needs is not None:
                await probes.until_ready(self.service.needs, math.inf)
            await self._launch()
        except StackError as error:
            if not self._reloading:
                self._note(str(error))

    async def _launch(self) -> None:
        """Run the command and wait until the service answers, it dies, or time is up."""
        self._ready_at, self._reloading, self._log_start = None, False, logs.size(self._log)
        self._process = await process.spawn(
            self.service.command,
            environment={**self.service.environment, **self._marks},
            log=self._log,
            death_signal=self.service.death_signal,
            account=self.service.account,
        )
        self._state.change(self.service.name, pid=self._process.pid, state="starting")
        if self.service.probe is not None:
            await self._answer(self._process, self.service.probe)
        self._ready_at = time.monotonic()
        self._state.change(self.service.name, state="ready")

    async def _answer(self, running: Process, probe: probes.Probe) -> None:
        ended = asyncio.create_task(running.wait())
        ready = asyncio.create_task(probes.until_ready(probe, self.service.ready_seconds))
        try:
            await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise StackError(self._failure(ended.result()))
            await ready
        except NotReady as error:
            process.kill_group(running.pid)
            late = f"{self.service.name} was not ready in {self.service.ready_seconds:.0f} s"
            raise StackError(f"{late}: {error} (see {self._log})") from error
        finally:
            ended.cancel()
            ready.cancel()

    async def _clear_up(self, returncode: int) -> None:
        self._state.change(self.service.name, pid=None, state="restarting")
        if self._ready_at is not None and not self._reloading:  # else it was said already
            self._note(f"{self.service.name} {process.ending(returncode)}, restarting it")
        process.kill_group(self._running.pid)
        await self._end_orphans()

    async def _end_orphans(self) -> None:
        await asyncio.to_thread(orphans.end, self._marks)
        if self.service.unmarked is not None:
            await asyncio.to_thread(orphans.end_these, self.service.unmarked)

    def _died_quickly(self) -> bool:
        return self._ready_at is None or time.monotonic() - self._ready_at < QUICK_SECONDS

    def _delay(self, quick_deaths: int) -> float:
        return min(FIRST_DELAY_SECONDS * 2.0 ** max(quick_deaths - 1, 0), LONGEST_DELAY_SECONDS)

    def _failure(self, returncode: int) -> str:
        gist = logs.gist(self._log, self._log_start)
        return f"{self.service.name} {process.ending(returncode)}: {gist} (see {self._log})"
