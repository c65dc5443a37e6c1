"""How much one may say, and what becomes of the rest."""

import json

from hypothesis import given
from hypothesis import strategies as st

from collab import presence
from collab.allowance import Allowance, Hold


def said(client: int, clock: int, state: object = "here") -> presence.Entry:
    return client, clock, json.dumps(state).encode()


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 50)), min_size=1, max_size=50))
def test_nobody_takes_more_than_the_rate_allows(steps: list[tuple[float, float]]) -> None:
    allowance, now, taken = Allowance(10, 20, 0.0), 0.0, 0.0
    for pause, amount in steps:
        now += pause
        wait = allowance.take(amount, now)
        taken += amount
        now += wait
    assert taken <= 20 + 10 * now + 1e-6


def test_of_what_is_held_back_the_newest_counts() -> None:
    hold = Hold()
    hold.add(presence.encode([said(1, 1, "old"), said(2, 5)]))
    hold.add(presence.encode([said(1, 3, "new")]))
    hold.add(presence.encode([said(1, 2, "late")]))
    assert sorted(presence.parse(hold.take())) == [said(1, 3, "new"), said(2, 5)]
    assert presence.parse(hold.take()) == []


def test_what_is_held_back_is_bounded() -> None:
    hold = Hold()
    for start in range(0, 2000, 100):
        hold.add(presence.encode([said(client, 1) for client in range(start, start + 100)]))
    held = presence.parse(hold.take())
    assert len(held) == Hold.AT_MOST
    assert held[-1] == said(1999, 1)
