"""Who somebody is: what it costs a request, and whether signing in slows others down.

Readers fetch documents one after another while fifty people sign in again and again, each sign-in an Argon2 hash by
design. The peer is the same reading with nobody signing in, in turns, so that a noisy moment hits both.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from uuid import UUID

import httpx

from infra.bus import Bus, Revocation
from infra.settings import get_settings
from tests.bench import bars
from tests.bench.collab.run import circumstances
from tests.bench.report import DOCS, PAGE, Report, percentiles, section
from tests.people import Person, sign_up
from tests.security.processes import api_process

READERS = 4
READS = 150
"""Of each reader in each round."""
LOGINS = 50
ROUNDS = 3
SERVICES = ("postgres", "redis", "s3", "migrate", "buckets", "api")
PICTURE: Final = DOCS / "pictures" / "identity.svg"


async def run(*, quick: bool = False) -> Report:
    """Latency of `GET /documents/{id}` with and without sign-ins, and its round trips to Postgres."""
    url = f"{get_settings().public_url}/api/v1"
    found: dict[bool, list[float]] = {False: [], True: []}
    signed_in = 0
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(_reader(url)) for _ in range(READERS)]
        # Somebody else: an account keeps so many sessions, and its oldest end.
        other = await stack.enter_async_context(_reader(url))
        for _ in range(1 if quick else ROUNDS):
            for busy in (False, True):
                async with _signing_in(other, url, LOGINS if busy else 0) as counter:
                    timings = await asyncio.gather(*(_read(reader) for reader in readers))
                found[busy] += [second for timing in timings for second in timing]
                signed_in += counter[0]
        trips = await _round_trips(readers[0])
    report = Report(f"GET /documents/{{id}}, {READERS} readers, and {LOGINS} people signing in")
    for busy, name in ((False, "nobody signs in"), (True, f"{LOGINS} sign in ({signed_in} done)")):
        report.rows.append({"": name, **percentiles(found[busy]), **trips})
    alone, beside = report.rows
    ratios = {key: round(float(beside[key]) / float(alone[key]), 2) for key in ("p50 ms", "p99 ms")}
    report.rows.append({"": "ratio", **ratios, **dict.fromkeys(trips, "")})
    if not quick:
        PICTURE.write_text(_picture(report))
        section(PAGE, "identity", _section(report))
    return report


def _picture(report: Report) -> str:
    names = ("nobody signs in", f"{LOGINS} sign in")
    panels = [
        bars.Panel(
            f"Reading a document, {measure}",
            "less is better",
            {name: float(row[measure]) for name, row in zip(names, report.rows, strict=False)},
        )
        for measure in ("p50 ms", "p99 ms")
    ]
    return bars.draw(panels, names[1:])


def _section(report: Report) -> str:
    about = circumstances()
    return f"""\
## Reading beside people who sign in

![Bar charts of the table below](pictures/{PICTURE.name})

`./doxie bench identity`: {READERS} readers fetch documents one after another from one api process, with and without
{LOGINS} people who sign in again as soon as they have. Argon2 has half of the cores at most; what is left of the
difference is the work of a sign-in itself, and the driver on the same cores. Trips are round trips to Postgres of the
whole request.

{report.markdown()}
Measured on one machine, server and driver together ({about["cpu"]}, {about["date"]}).
"""


@asynccontextmanager
async def _reader(url: str) -> AsyncIterator[Person]:
    async with sign_up(url, "Reader") as person:
        await person.found_org()
        await person.create_document()
        yield person


async def _read(reader: Person) -> list[float]:
    path, seconds = f"/documents/{reader.document['id']}", []
    for _ in range(READS):
        started = time.perf_counter()
        (await reader.api.get(path)).raise_for_status()
        seconds.append(time.perf_counter() - started)
    return seconds


@asynccontextmanager
async def _signing_in(person: Person, url: str, many: int) -> AsyncIterator[list[int]]:
    """So many people who sign in again as soon as they are; how many times that was."""
    counter, over = [0], asyncio.Event()

    async def again_and_again(api: httpx.AsyncClient) -> None:
        while not over.is_set():
            answer = await api.post("/auth/login", json={"email": person.email, "password": person.password})
            counter[0] += answer.is_success

    # One client for all: each would read the certificates of the system first, and the readers would wait for that.
    limits = httpx.Limits(max_connections=many or 1, max_keepalive_connections=many or 1)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as api:
        tasks = [asyncio.create_task(again_and_again(api)) for _ in range(many)]
        yield counter
        over.set()
        await asyncio.gather(*tasks)  # to the end, or what is left of them would slow the next readers


async def _round_trips(reader: Person) -> dict[str, int]:
    """Round trips to Postgres of one request: when the identity is not remembered, and when it is."""
    settings = get_settings()
    bus = Bus(settings.redis_url.get_secret_value())
    path, trips = f"/documents/{reader.document['id']}", []
    async with api_process(settings) as process, process.client(reader.api.headers) as api:
        await api.get(path)  # opens the connection
        await bus.revoke(Revocation(user_id=UUID(reader.user["id"])))
        for _ in range(2):
            before = process.postgres.trips
            (await api.get(path)).raise_for_status()
            trips.append(process.postgres.trips - before)
    await bus.close()
    return {"trips, new identity": trips[0], "trips, known": trips[1]}
