"""`./doxie status` and `./doxie logs`: what a home says about itself."""

import json
import urllib.request
from collections.abc import Iterator

from infra.stack import lock, logs, state
from infra.stack.errors import StackError
from infra.stack.home import Home
from infra.stack.progress import redacted

TAIL_LINES = 200


def table(home: Home) -> Iterator[str]:
    """One line for each service.

    Raises:
        StackError: nothing runs here.
    """
    require_running(home)
    yield f"{'SERVICE':<11} {'STATE':<11} {'PID':>7} {'PORT':>6} {'RESTARTS':>8}  URL"
    entries = state.read(home)
    for name, entry in entries.items():
        numbers = f"{entry.pid or '-':>7} {entry.port or '-':>6} {entry.restarts:>8}"
        yield f"{name:<11} {entry.state:<11} {numbers}  {redacted(entry.url)}".rstrip()
    if "flows" in entries:
        yield from _backups(str(entries["flows"].url))


def require_running(home: Home) -> int:
    """The process id of the supervisor.

    Raises:
        StackError: nothing runs here.
    """
    pid = lock.holder(home)
    if pid is None:
        raise StackError(f"nothing is running in {home.root}: start it with `./doxie up`")
    return pid


def lines(home: Home, service: str | None, *, follow: bool) -> Iterator[str]:
    """The end of one log, or of all of them with their names in front.

    Raises:
        StackError: there is no such log.
    """
    known = {path.stem: path for path in sorted(home.logs.glob("*.log"))}
    if service is not None and service not in known:
        raise StackError(f"no log of {service} in {home.logs}; there are: {', '.join(known) or 'none'}")
    chosen = {service: known[service]} if service is not None else known

    def shown(name: str, line: str) -> str:
        return line if service is not None else f"{name:<10} | {line}"

    for name, path in chosen.items():
        yield from (shown(name, line) for line in logs.tail(path, TAIL_LINES))
    if follow:
        yield from (shown(name, line) for name, line in logs.follow(chosen))


def _backups(flows: str) -> Iterator[str]:
    """What the worker says of backups and drills: it looks after them."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{flows}/readyz", timeout=3) as answer:
            seen = json.load(answer)["backups"]
    except (OSError, ValueError, KeyError) as error:
        yield f"backups: the worker does not say ({error})"
        return
    if seen is None:
        yield "backups: not looked at yet"
        return
    first = {name: f"not yet due (first {at})" for name, at in seen["not_due"].items()}
    names = ("log", "base", "dump", "organizations", "drill")
    yield f"backups: newest {', '.join(f'{name} {first.get(name) or _age(seen[name])}' for name in names)}"
    yield from (f"ALARM: {alarm}" for alarm in seen["alarms"])


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
