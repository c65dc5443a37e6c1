"""What a stack is made of: services that run, steps that run once, services that others run."""

import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from infra.stack.probes import Probe
from infra.stack.process import OWN, Account

Hook = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """A process that is kept running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    depends_on: tuple[str, ...] = ()
    port: int | None = None
    url: str | None = None
    probe: Probe | None = None
    """None: it is ready as soon as it runs."""
    needs: Probe | None = None
    """What it cannot start without: when it died, it is started again once this answers."""
    prepare: Hook | None = None
    """Before the first start: make its data directory and its configuration."""
    settle: Hook | None = None
    """After it is ready for the first time: make what its clients need in it."""
    outlasted_by: tuple[str, ...] = ()
    """These stop after it, though it starts without them."""
    account: Account = OWN
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    death_signal: signal.Signals = signal.SIGKILL
    """Sent by the kernel when the supervisor dies."""
    ready_seconds: float = 180
    unmarked: Callable[[], Iterable[int]] | None = None
    """Finds processes of it that the marks do not find; none of them may be left when it starts again."""
    reloadable: bool = False
    """Ours: restarted by `--reload` when the code changes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A process that has to end well before those who depend on it start."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    depends_on: tuple[str, ...] = ()
    seconds: float = 300


@dataclass(frozen=True, slots=True)
class External:
    """A service that somebody else runs; a variable names it."""

    name: str
    variable: str
    url: str
    probe: Probe
    port: int | None = None
    settle: Hook | None = None
    depends_on: tuple[str, ...] = ()


Node = Service | Step | External
