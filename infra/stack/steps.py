"""What happens once at a start: steps that run to their end, checks of what others run."""

from collections.abc import Mapping

from infra.stack import logs, orphans, probes, process
from infra.stack.errors import NotReady, StackError
from infra.stack.home import Home
from infra.stack.progress import address
from infra.stack.service import External, Step

EXTERNAL_SECONDS = 3.0
"""How long a service that somebody else runs may take to answer."""


async def run(step: Step, home: Home, marks: Mapping[str, str]) -> None:
    """Run a step to its end; `marks` tell its descendants from all others.

    Raises:
        StackError: it failed.
    """
    log = home.log(step.name)
    logs.rotate(log)
    start = logs.size(log)
    environment = {**step.environment, **marks, orphans.SERVICE: step.name}
    try:
        code = await process.run(step.command, environment=environment, log=log, seconds=step.seconds)
    except TimeoutError as error:
        raise StackError(f"{step.name} took longer than {step.seconds:.0f} s (see {log})") from error
    if code != 0:
        raise StackError(f"{step.name} {process.ending(code)}: {logs.gist(log, start)} (see {log})")


async def check(external: External) -> None:
    """See that a service answers, and make what we need in it.

    Raises:
        StackError: it does not.
    """
    try:
        await probes.until_ready(external.probe, EXTERNAL_SECONDS)
    except NotReady as error:
        where = address(external.url)
        raise StackError(f"{external.variable}: no answer from {where}: {error}") from error
    if external.settle is not None:
        await external.settle()
