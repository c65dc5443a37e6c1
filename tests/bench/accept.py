"""Autosave: how long until `POST /documents/{id}/updates` is answered, against a bare one-row INSERT.

Fifty writers, each with a document (a table row) of its own, each sending the next as soon as the
last is answered. The peer is the least that any durable save must do: one INSERT of the same bytes
and its commit, through the same driver into the same Postgres, with as many connections.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import httpx
import psycopg

from infra.settings import get_settings
from tests.bench.report import Report, percentiles
from tests.people import OCTETS, Pen, sign_up

WRITERS = 50
SAVES = 40
"""Of each writer in each round."""
ROUNDS = 3

Save = Callable[[bytes], Awaitable[object]]


async def run() -> Report:
    """Both in turn, several rounds, so that a noisy moment hits both."""
    settings = get_settings()
    found: dict[str, list[float]] = {"POST /documents/{id}/updates": [], "bare INSERT": []}
    took = dict.fromkeys(found, 0.0)
    async with AsyncExitStack() as stack:
        saves = {
            "POST /documents/{id}/updates": await _autosaves(stack, f"{settings.public_url}/api/v1"),
            "bare INSERT": await _inserts(stack, settings.database_url.get_secret_value()),
        }
        for _ in range(ROUNDS):
            for name, writers in saves.items():
                started = time.perf_counter()
                timings = await asyncio.gather(*(_write(save) for save in writers))
                took[name] += time.perf_counter() - started
                found[name] += [second for timing in timings for second in timing]
    report = Report(f"Accepting a save, {WRITERS} concurrent writers")
    for name, seconds in found.items():
        rate = round(len(seconds) / took[name])
        report.rows.append({"": name, **percentiles(seconds), "saves/s": rate})
    saved, inserted = report.rows
    ratios = {key: round(float(saved[key]) / float(inserted[key]), 2) for key in ("p50 ms", "p99 ms", "saves/s")}
    report.rows.append({"": "ratio", **ratios})
    return report


async def _write(save: Save) -> list[float]:
    pen, seconds = Pen(), []
    for _ in range(SAVES):
        update = pen.write("a word ")
        started = time.perf_counter()
        await save(update)
        seconds.append(time.perf_counter() - started)
    return seconds


async def _autosaves(stack: AsyncExitStack, url: str) -> list[Save]:
    person = await stack.enter_async_context(sign_up(url, "Bench"))
    await person.found_org()
    writers: list[Save] = []
    for _ in range(WRITERS):
        path = f"/documents/{(await person.create_document())['id']}/updates"
        api = httpx.AsyncClient(base_url=url, headers={**person.api.headers, **OCTETS}, timeout=60)
        await stack.enter_async_context(api)
        writers.append(_autosave(api, path))
    return writers


def _autosave(api: httpx.AsyncClient, path: str) -> Save:
    async def save(update: bytes) -> None:
        (await api.post(path, content=update)).raise_for_status()

    return save


async def _inserts(stack: AsyncExitStack, url: str) -> list[Save]:
    connections = [
        await stack.enter_async_context(await psycopg.AsyncConnection.connect(url, autocommit=True))
        for _ in range(WRITERS)
    ]
    await connections[0].execute("CREATE TABLE bench_inserts (payload bytea NOT NULL)")
    return [_insert(connection) for connection in connections]


def _insert(connection: psycopg.AsyncConnection) -> Save:
    async def save(update: bytes) -> None:
        await connection.execute("INSERT INTO bench_inserts VALUES (%s)", [update])

    return save
