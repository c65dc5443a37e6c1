"""Stores that say nothing are not waited for as long as the kernel would."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from infra import db as databases
from infra import patience
from infra.db import Database
from infra.settings import get_settings
from tests.conftest import Stack
from tests.flows.valve import Valve, through


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


async def test_a_first_connection_that_leads_nowhere_keeps_nobody_out(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BEGIN_SECONDS", 0.5)
    url = stack.settings.app_database_url.get_secret_value()
    async with Valve(urlsplit(url).port or 5432) as valve:
        db = Database(through(url, valve))
        links = iter([valve.orphan])
        # As soon as it is made, and before the server is asked anything.
        event.listen(db.engine.sync_engine, "connect", lambda *_: next(links, lambda: None)(), insert=True)
        async with asyncio.timeout(30):
            found = await asyncio.gather(db.ping(), db.ping(), return_exceptions=True)
            assert any(isinstance(error, OperationalError) for error in found)
            await db.ping()
        await db.close()


def test_what_a_url_names_goes_first() -> None:
    url = patience.postgres("postgresql://somebody@db/any?connect_timeout=9&sslmode=require")
    assert url.query["connect_timeout"] == "9"
    assert url.query["sslmode"] == "require"
    assert url.query["tcp_user_timeout"] == str(get_settings().store_silence_seconds * 1000)
