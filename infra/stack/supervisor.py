"""Run a stack: start everything in order, keep it running, stop it in reverse order."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence

from infra.stack import guard, orphans, reload, steps
from infra.stack.errors import StackError
from infra.stack.home import Home
from infra.stack.progress import Progress, address
from infra.stack.runner import Runner
from infra.stack.service import External, Node, Service, Step
from infra.stack.state import Entry, State

SUPERVISOR = "supervisor"


class Supervisor:
    """One run of a stack, from its start to its last process."""

    def __init__(self, home: Home, nodes: Sequence[Node], progress: Progress, *, reloading: bool = False) -> None:
        """When `reloading`, changed code restarts ours, and nothing is given up: it is being edited."""
        self._home = home
        self._nodes = {node.name: node for node in nodes}
        self._progress = progress
        self._reloading = reloading
        self._state = State(home)
        self._marks = {orphans.HOME: str(home.root), orphans.RUN: uuid.uuid4().hex}
        self._up = {node.name: asyncio.Event() for node in nodes}
        self._gone = {node.name: asyncio.Event() for node in nodes}
        self._runners: dict[str, Runner] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call `ready`, and keep it all running until a signal says stop.

        Raises:
            StackError: something did not start or keeps dying; everything is stopped.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)
        posted = await guard.post(self._marks[orphans.RUN])
        self._state.put(SUPERVISOR, Entry(pid=os.getpid(), port=None, url=None))
        try:
            if await self._completed(self._start_all()):
                self._state.change(SUPERVISOR, state="ready")
                ready()
                if self._reloading:
                    self._watcher = self._in_background(reload.watch(self._reload))
            await self._end
        finally:
            self._end.cancel()
            await _drop(self._watcher)
            await self._stop_all()
            await guard.dismiss(posted)
            self._state.remove()

    def _on_signal(self, number: signal.Signals) -> None:
        """The first asks for an orderly stop, Ctrl-C after that for an immediate one."""
        if not self._end.done():
            self._end.set_result(None)
        elif number == signal.SIGINT:
            for runner in self._runners.values():
                runner.kill()

    def _in_background(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Work that goes on until the end, and whose failure is the end."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_ended)
        return task

    def _on_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) and not self._end.done():
            self._end.set_exception(error)

    async def _completed(self, work: Coroutine[None, None, None]) -> bool:
        """Whether the work was done before the end came; if not, it is dropped."""
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task, self._end}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            return task.done()
        finally:
            await _drop(task)

    # up

    async def _start_all(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for node in self._nodes.values():
                    group.create_task(self._start_in_turn(node))
        except ExceptionGroup as failures:
            # Not `except*`: early releases of Python 3.11 wrap what is raised there into a group again.
            known = failures.subgroup((StackError, OSError))
            raise (known or failures).exceptions[0] from None

    async def _start_in_turn(self, node: Node) -> None:
        for name in node.depends_on:
            if name in self._up:
                await self._up[name].wait()
        began = time.monotonic()
        self._progress.begin(node.name)
        detail = await self._start(node)
        self._progress.done(node.name, time.monotonic() - began, detail)
        self._up[node.name].set()

    async def _start(self, node: Node) -> str:
        match node:
            case Service():
                await self._start_service(node)
                return address(node.url)
            case Step():
                await steps.run(node, self._home, self._marks)
                return ""
            case External():
                await steps.check(node)
                self._state.put(node.name, Entry(pid=None, port=node.port, url=node.url, state="external"))
                return f"{address(node.url)}, from {node.variable}"

    async def _start_service(self, service: Service) -> None:
        runner = Runner(
            service,
            self._home,
            self._state,
            marks=self._marks,
            note=self._progress.note,
            patient=self._reloading,
        )
        self._runners[service.name] = runner
        await runner.start()
        self._keepers[service.name] = self._in_background(runner.keep())

    async def _reload(self, files: Sequence[str]) -> None:
        more = " …" if len(files) > 3 else ""
        self._progress.note(f"{', '.join(files[:3])}{more} changed, restarting what runs it")
        for runner in self._runners.values():
            if runner.service.reloadable:
                await runner.reload()

    # down

    async def _stop_all(self) -> None:
        self._progress.end()
        endings = (self._stop_in_turn(node) for node in self._nodes.values())
        for outcome in await asyncio.gather(*endings, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _stop_in_turn(self, node: Node) -> None:
        """Stop a node once all that depend on it, or want it to stop after them, are gone."""
        for other in self._nodes.values():
            if node.name in (*other.depends_on, *outlasted_by(other)):
                await self._gone[other.name].wait()
        try:
            if runner := self._runners.get(node.name):
                await self._stop_service(node.name, runner)
        finally:
            self._gone[node.name].set()

    async def _stop_service(self, name: str, runner: Runner) -> None:
        began = time.monotonic()
        await _drop(self._keepers.get(name))
        self._progress.begin(name)
        await runner.stop()
        self._progress.done(name, time.monotonic() - began, "stopped")


async def _drop(task: "asyncio.Task[None] | None") -> None:
    """Cancel a task and wait until it is over; whoever needed its outcome has it."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def outlasted_by(node: Node) -> tuple[str, ...]:
    """Which others must stop after a node."""
    return node.outlasted_by if isinstance(node, Service) else ()
