"""Awareness: whose word counts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab import presence
from collab.presence import Presence
from models.lib0 import ProtocolError

ANN, BOB = b"a" * 16, b"b" * 16


def said(client: int, clock: int, state: object = "here") -> bytes:
    return presence.encode([(client, clock, json.dumps(state).encode())])


def test_a_state_is_relayed_as_it_came() -> None:
    everybody = Presence()
    assert everybody.hear(said(1, 1), owner="A", user=ANN, now=0) == said(1, 1)
    assert everybody.everyone() == said(1, 1)


def test_an_older_clock_does_not_count() -> None:
    everybody = Presence()
    everybody.hear(said(1, 5, "new"), owner="A", user=ANN, now=0)
    assert everybody.hear(said(1, 4, "old"), owner="A", user=ANN, now=0) == b""
    assert everybody.hear(said(1, 5, "echo"), owner="A", user=ANN, now=0) == b""
    assert everybody.everyone() == said(1, 5, "new")


def test_nobody_speaks_for_others() -> None:
    everybody = Presence()
    everybody.hear(said(1, 5), owner="A", user=ANN, now=0)
    assert everybody.hear(said(1, 9, "forged"), owner="B", user=BOB, now=0) == b""
    assert everybody.hear(said(1, 5, None), owner="B", user=BOB, now=0) == b""
    both = presence.encode([(1, 9, b'"forged"'), (2, 1, b'"own"')])
    assert everybody.hear(both, owner="B", user=BOB, now=0) == said(2, 1, "own")


def test_an_echo_does_not_raise_the_departed() -> None:
    everybody = Presence()
    everybody.hear(said(1, 5), owner="A", user=ANN, now=0)
    assert everybody.leave("A", 1) == said(1, 5, None)
    assert everybody.hear(said(1, 5), owner="B", user=BOB, now=2) == b""
    assert everybody.everyone() == b""
    assert everybody.hear(said(1, 5), owner="A2", user=ANN, now=3) == said(1, 5)


def test_a_client_on_a_new_socket_takes_its_state_along() -> None:
    everybody = Presence()
    everybody.hear(said(1, 5), owner="A", user=ANN, now=0)
    assert everybody.hear(said(1, 6), owner="A2", user=ANN, now=1) == said(1, 6)
    assert everybody.leave("A", 2) == b""
    assert everybody.leave("A2", 3) == said(1, 6, None)


def test_one_socket_cannot_be_a_crowd() -> None:
    everybody = Presence()
    crowd = presence.encode([(client, 1, b"{}") for client in range(10_000)])
    everybody.hear(crowd, owner="A", user=ANN, now=0)
    assert len(everybody.states) == presence.MAX_CLIENTS_PER_OWNER
    with pytest.raises(ProtocolError):
        everybody.hear(presence.encode([(client, 1, b"{}") for client in range(100_000)]), owner="B", user=BOB, now=0)


def test_silent_clients_of_other_nodes_are_forgotten_and_local_ones_are_not() -> None:
    everybody = Presence()
    everybody.hear(said(1, 1), owner="A", user=ANN, now=0)
    everybody.hear_node(said(2, 1), node=b"node----", user=BOB, now=0)
    assert everybody.expire(29) == b""
    assert everybody.expire(31) == said(2, 1, None)
    assert set(everybody.states) == {1}


def test_another_node_does_not_remove_a_client_that_is_here_now() -> None:
    everybody = Presence()
    everybody.hear_node(said(1, 5), node=b"node----", user=ANN, now=0)
    everybody.hear(said(1, 6), owner="A", user=ANN, now=1)
    assert everybody.hear_node(said(1, 6, None), node=b"node----", user=ANN, now=2) == b""
    assert set(everybody.states) == {1}


@pytest.mark.parametrize("state", [b"NaN", b"{", b"\xff", b"[" * 100_000, b'"' + b"x" * 70_000 + b'"', b""])
def test_what_clients_could_not_parse_is_refused(state: bytes) -> None:
    with pytest.raises(ProtocolError):
        Presence().hear(presence.encode([(1, 1, state)]), owner="A", user=ANN, now=0)


@given(st.binary(max_size=60))
def test_no_bytes_do_anything_but_be_refused(update: bytes) -> None:
    everybody = Presence()
    try:
        everybody.hear(update, owner="A", user=ANN, now=0)
    except ProtocolError:
        pass
    everybody.leave("A", 1)
    assert everybody.everyone() == b""
