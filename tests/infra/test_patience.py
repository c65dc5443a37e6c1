"""Stores that say nothing are not waited for as long as the kernel would."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy.exc import OperationalError

from infra import patience
from infra.db import Database
from infra.settings import get_settings


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port whose host lets nobody in: it answers no SYN, as if it were gone."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def mute() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]


@pytest.mark.parametrize("kind", ["deaf", "mute"])
async def test_connecting_is_given_up(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_settings(), "store_connect_seconds", 2)
    db = Database(f"postgresql://somebody@127.0.0.1:{request.getfixturevalue(kind)}/any")
    began = time.monotonic()
    with pytest.raises(OperationalError):
        await db.ping()
    assert time.monotonic() - began < 20, "a kernel tries for two minutes, and waits for an answer for ever"
    await db.close()


def test_what_a_url_names_goes_first() -> None:
    url = patience.postgres("postgresql://somebody@db/any?connect_timeout=9&sslmode=require")
    assert url.query["connect_timeout"] == "9"
    assert url.query["sslmode"] == "require"
    assert url.query["tcp_user_timeout"] == str(get_settings().store_silence_seconds * 1000)
