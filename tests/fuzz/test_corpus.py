"""What fuzzing has found worth keeping, and what it once found wrong, is tried again in every run."""

import random

import pytest

from tests.fuzz import NAMES, corpus
from tests.fuzz.targets import TARGETS, seeds


def test_all_can_be_fuzzed() -> None:
    assert set(NAMES) == TARGETS.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_parsers_stand_what_was_tried_before(name: str) -> None:
    for data in [*seeds(name), *corpus.read(name), *corpus.findings(name)]:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_parsers_stand_what_is_cut_and_changed(name: str) -> None:
    chance = random.Random(name)
    for seed in seeds(name):
        for _ in range(20):
            data = bytearray(seed[: chance.randrange(len(seed) + 1)])
            for _ in range(chance.randrange(4) if data else 0):
                data[chance.randrange(len(data))] = chance.randrange(256)
            TARGETS[name](bytes(data))
