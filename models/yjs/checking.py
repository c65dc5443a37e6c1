"""Whether an update applies to an empty Doc: asked of a keeper that stays, since every save by REST asks."""

import asyncio
from itertools import count
from typing import Final

from infra.cage import Cage, CageBroken
from models.yjs import wire
from models.yjs.wire import Did, Do

MEMORY: Final = 2 * 1024 * 1024 * 1024
SECONDS: Final = 20.0
TRIES: Final = 5
"""A keeper may die of what another asked at the same time."""

_cages: dict[asyncio.AbstractEventLoop, "asyncio.Task[Cage]"] = {}
_numbers = count(1)


async def applies(update: bytes) -> bool:
    """Whether an update applies; one that ends the keeper does not, nor does one that takes it too long."""
    number = next(_numbers)
    body = bytes((1,)) + wire.several([update])
    request = [wire.errand(Do.LOAD, number, body), wire.errand(Do.DROP, number)]
    for _ in range(TRIES):
        starting = _starting()
        try:
            (did, _), _ = wire.answers(await (await asyncio.shield(starting)).ask(request))
            return did is Did.DONE
        except CageBroken as broken:
            _forget(starting)
            if broken.note == number:
                return False
        except OSError:
            _forget(starting)
            raise
    return False


def _starting() -> "asyncio.Task[Cage]":
    for other in [other for other in _cages if other.is_closed()]:
        del _cages[other]
    loop = asyncio.get_running_loop()
    if loop not in _cages:
        _cages[loop] = loop.create_task(Cage("models.yjs.keeper", memory=MEMORY, patience=SECONDS).start())
    return _cages[loop]


def _forget(starting: "asyncio.Task[Cage]") -> None:
    loop = asyncio.get_running_loop()
    if _cages.get(loop) is starting:
        del _cages[loop]
