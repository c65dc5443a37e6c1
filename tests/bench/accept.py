"""Autosave: how long until `POST /documents/{id}/updates` is answered, against a bare one-row INSERT.

One, ten and fifty writers, each with a document (a table row) of its own, each sending the next as soon as the
last is answered. The peer is the least that any durable save must do: one INSERT of the same bytes
and its commit, through the same driver into the same Postgres, with as many connections.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

import httpx
import psycopg

from infra.settings import get_settings
from tests.bench import bars
from tests.bench.collab.run import circumstances
from tests.bench.report import DOCS, PAGE, Report, Row, percentiles, section
from tests.people import OCTETS, Pen, sign_up

WRITERS: Final = (1, 10, 50)
SAVES: Final = 40
"""Of each writer in each round."""
ROUNDS: Final = 3
PICTURE: Final = DOCS / "pictures" / "accept.svg"

Save = Callable[[bytes], Awaitable[object]]


async def run(*, quick: bool = False) -> Report:
    """Both in turn, several rounds, so that a noisy moment hits both; published, unless it is quick."""
    settings = get_settings()
    report = Report("Accepting a save: POST /documents/{id}/updates, and a bare INSERT")
    async with AsyncExitStack() as stack:
        posts = await _autosaves(stack, f"{settings.public_url}/api/v1")
        inserts = await _inserts(stack, settings.database_url.get_secret_value())
        for writers in WRITERS[-1:] if quick else WRITERS:
            report.rows.append(await _compared(posts[:writers], inserts[:writers]))
    if not quick:
        PICTURE.write_text(_picture(report))
        section(PAGE, "accept", _section(report))
    return report


async def _compared(posts: Sequence[Save], inserts: Sequence[Save]) -> Row:
    timings: list[list[float]] = [[], []]
    took = [0.0, 0.0]
    for _ in range(ROUNDS):
        for which, writers in enumerate((posts, inserts)):
            started = time.perf_counter()
            for seconds in await asyncio.gather(*(_write(save) for save in writers)):
                timings[which] += seconds
            took[which] += time.perf_counter() - started
    post, insert = map(percentiles, timings)
    rate, bare_rate = (round(len(seconds) / spent) for seconds, spent in zip(timings, took, strict=True))
    return {
        "writers": len(posts),
        **post,
        **{f"bare {name}": value for name, value in insert.items()},
        "p50 ratio": round(post["p50 ms"] / insert["p50 ms"], 2),
        "saves/s": rate,
        "bare saves/s": bare_rate,
    }


def _picture(report: Report) -> str:
    measures = {"p50 ms": "less", "p99 ms": "less", "saves/s": "more"}
    panels = [
        bars.Panel(
            f"Accepting a save, {name}", f"by writers, {better} is better", bars.beside(report.rows, "writers", name)
        )
        for name, better in measures.items()
    ]
    return bars.draw(panels, [f"{writers}" for writers in WRITERS])


def _section(report: Report) -> str:
    about = circumstances()
    return f"""\
## Accepting a save over REST

![Bar charts of the table below](pictures/{PICTURE.name})

`./doxie bench accept`: so many writers send the next update as soon as the last is answered, each to a document of its
own; beside it the least that any durable save must do, an INSERT of the same bytes and its commit through the same
driver. The difference is HTTP, identity, rights, row-level security, the hash chain, and what the pipeline has to know.

{report.markdown()}
Measured on one machine, server and driver together ({about["cpu"]}, {about["date"]}).
"""


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
    for _ in range(max(WRITERS)):
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
        for _ in range(max(WRITERS))
    ]
    await connections[0].execute("CREATE TABLE bench_inserts (payload bytea NOT NULL)")
    return [_insert(connection) for connection in connections]


def _insert(connection: psycopg.AsyncConnection) -> Save:
    async def save(update: bytes) -> None:
        await connection.execute("INSERT INTO bench_inserts VALUES (%s)", [update])

    return save
