"""API processes inside the tests: the whole application on the stores of the stack, reached through valves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from api.main import create_app
from infra.settings import Settings
from tests.flows.valve import Valve


class Meter(Valve):
    """Counts what goes back and forth: a round trip is something sent after something was heard."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self.trips = 0

    async def _relay(self, reader: Any, writer: Any) -> None:
        self._heard = True
        await super()._relay(reader, writer)

    async def _copy(self, reader: Any, writer: Any) -> None:
        towards = writer.get_extra_info("peername")[1] == self.target

        async def read(size: int) -> bytes:
            data: bytes = await type(reader).read(reader, size)
            if data and towards:
                self.trips += self._heard
            self._heard = not towards
            return data

        reader.read = read
        await super()._copy(reader, writer)


@dataclass(frozen=True, slots=True)
class Process:
    """One API process."""

    app: FastAPI
    postgres: Meter
    redis: Valve

    def client(self, headers: Any = None, *, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """Somebody who talks to it from an address."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 40_000))
        return httpx.AsyncClient(transport=transport, base_url="http://doxie.test/api/v1", headers=headers)


@asynccontextmanager
async def api_process(settings: Settings, **changes: Any) -> AsyncIterator[Process]:
    """An API process on the same stores, with some settings changed."""
    database = settings.app_database_url.get_secret_value()
    redis = settings.redis_url.get_secret_value()
    async with Meter(urlsplit(database).port or 0) as meter, Valve(urlsplit(redis).port or 0) as valve:
        urls = {
            "app_database_url": SecretStr(_through(database, meter)),
            "redis_url": SecretStr(_through(redis, valve)),
        }
        app = create_app(settings.model_copy(update=urls | changes))
        async with app.router.lifespan_context(app):
            await app.state.runtime.bulletin.listening.wait()  # or its beginning would be counted some time later
            yield Process(app, meter, valve)


def _through(url: str, valve: Valve) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{valve.port}")))
