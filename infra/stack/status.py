"""`./doxie status` and `./doxie logs`: what a home says about itself."""

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
    for name, entry in state.read(home).items():
        numbers = f"{entry.pid or '-':>7} {entry.port or '-':>6} {entry.restarts:>8}"
        yield f"{name:<11} {entry.state:<11} {numbers}  {redacted(entry.url)}".rstrip()


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
