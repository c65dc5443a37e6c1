"""The plan of a torture run: what happens to whom, when; the same for the same seed (pure)."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["kill", "freeze", "slow", "hang", "cut", "refuse", "orphan"]

VICTIMS: Final[Mapping[str, int]] = {
    "collab-1": 4,
    "collab-2": 4,
    "api-1": 2,
    "api-2": 2,
    "flows": 2,
    "postgres": 4,
    "redis": 3,
    "s3": 1,
    "prefect": 1,
    "collab-1 keeper": 2,
    "collab-2 keeper": 2,
    "postgres backend": 2,
}
"""Who is killed, and how often compared with the others."""
FROZEN: Final = ("collab-1", "collab-2", "api-1", "api-2", "flows", "postgres", "redis", "s3")
"""Who is stopped by SIGSTOP for a while, with all its processes."""
LINKS: Final = tuple(
    f"{near} > {far}"
    for near, stores in {
        "clients": ("api-1", "api-2", "collab-1", "collab-2"),
        "api-1": ("postgres", "redis", "s3"),
        "api-2": ("postgres", "redis", "s3"),
        "collab-1": ("postgres", "redis", "s3"),
        "collab-2": ("postgres", "redis", "s3"),
        "flows": ("postgres", "redis", "s3", "prefect"),
    }.items()
    for far in stores
)
"""Every connection between two services."""
_ON_LINKS: Final[Sequence[Kind]] = ("slow", "hang", "cut", "refuse", "orphan")
_BEFORE: Final = 10.0
"""Seconds of writing before an outage begins."""
_KILLS: Final = 0.7
"""This share of the faults are kills."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    pause: float
    """Seconds after the one before."""
    kind: Kind
    target: str
    seconds: float = 0.0
    """For how long; a kill lasts until its victim is back."""
    chance: float = 0.0
    """Which of several processes: a number from 0 to 1."""


def plan(seed: int, kills: int, pace: float) -> Iterator[Fault]:
    """Faults until there are so many kills, on average `pace` seconds apart."""
    random_ = random.Random(seed)
    victims = random_.choices(list(VICTIMS), list(VICTIMS.values()), k=kills)
    for victim in victims:
        while random_.random() > _KILLS:
            yield _other(random_, pace)
        yield Fault(_pause(random_, pace), "kill", victim, chance=random_.random())


def outage(store: str, seconds: float) -> Iterator[Fault]:
    """One store is away for everybody: Postgres hangs, the others refuse."""
    if store == "postgres":
        yield Fault(_BEFORE, "freeze", store, seconds)
        return
    for number, link in enumerate(link for link in LINKS if link.endswith(f" > {store}")):
        yield Fault(0.0 if number else _BEFORE, "refuse", link, seconds)


def _other(random_: random.Random, pace: float) -> Fault:
    pause, seconds = _pause(random_, pace), random_.uniform(0.3, 4.0)
    if random_.random() < 0.3:
        return Fault(pause, "freeze", random_.choice(FROZEN), seconds)
    return Fault(pause, random_.choice(_ON_LINKS), random_.choice(LINKS), seconds)


def _pause(random_: random.Random, pace: float) -> float:
    return random_.uniform(0.2, 1.8) * pace
