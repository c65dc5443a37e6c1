"""Reading over REST as an organization grows: one document, the list, and the search.

Each is asked of the api, one request after another, and of Postgres alone: the same rows by one bare statement through
the same driver, without anybody's rights. The difference is HTTP, identity, rights and row-level security.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final
from uuid import UUID

import psycopg

from infra.settings import get_settings
from tests.bench import bars
from tests.bench.collab.run import circumstances
from tests.bench.report import DOCS, PAGE, Report, percentiles, section
from tests.people import Person, sign_up

SERVICES: Final = ("postgres", "redis", "s3", "migrate", "buckets", "api")
SIZES: Final = (1_000, 10_000, 100_000)
"""Documents of the organization."""
QUICK_SIZES: Final = (1_000,)
WORDS: Final = 100
"""In each document; each of some thousand words is in many, one in ten of them."""
FOUND: Final = 10
ASKED: Final = 60
"""Requests of each kind; of those that take long fewer."""
SECONDS: Final = 20.0
PICTURE: Final = DOCS / "pictures" / "api.svg"

_FILL: Final = """
    WITH numbers AS (SELECT n, uuidv7() AS id FROM generate_series(%(first)s::int, %(last)s::int) AS n),
    made AS (
        INSERT INTO documents (org_id, id, title, version, org_access, created_by, created_at, updated_at)
        SELECT %(org)s, id, 'Document ' || n, 1, 3, %(user)s, now(), now() FROM numbers
    ), streams AS (
        INSERT INTO document_streams (org_id, document_id, seq, chain, bytes_total, closed, snapshot_seq)
        SELECT %(org)s, id, 0, decode(repeat('00', 32), 'hex'), 0, false, 0 FROM numbers
    )
    INSERT INTO document_texts (org_id, document_id, seq, text, words, updated_at)
    SELECT %(org)s, id, 0, words.text || ' needle' || n / %(found)s, %(words)s + 1, now()
    FROM numbers CROSS JOIN LATERAL (
        SELECT string_agg('word' || (n * 7919 + w * w * 104729) %% 5000, ' ') AS text
        FROM generate_series(1, %(words)s) AS w
    ) AS words
"""
_READ: Final = "SELECT * FROM documents JOIN document_streams ON document_id = id WHERE id = %s"
_LIST: Final = """
    SELECT * FROM documents JOIN document_streams ON document_id = id
    WHERE documents.org_id = %s ORDER BY id DESC LIMIT 50
"""
_SEARCH: Final = """
    SELECT id, title FROM documents JOIN document_texts ON document_id = id
    WHERE document_texts.org_id = %s AND to_tsvector('simple', left(text, 200000)) @@ to_tsquery('simple', %s)
    ORDER BY ts_rank(to_tsvector('simple', left(text, 200000)), to_tsquery('simple', %s)) DESC LIMIT 20
"""

Ask = Callable[[int], Awaitable[Any]]


async def run(*, quick: bool = False) -> Report:
    """Latency of reading at each size."""
    settings = get_settings()
    report = Report("Reading over REST")
    owner = settings.database_url.get_secret_value()
    async with (
        sign_up(f"{settings.public_url}/api/v1", "Reader") as reader,
        await psycopg.AsyncConnection.connect(owner, autocommit=True) as database,
    ):
        await reader.found_org()
        await database.execute("SELECT set_config('app.org_ids', %s, false)", ["{" + str(reader.org_id) + "}"])
        for before, size in zip((0, *SIZES), QUICK_SIZES if quick else SIZES, strict=False):
            ids = await _fill(database, reader, before, size)
            for name, over_rest, bare in _questions(reader, database, ids):
                rest, alone = await _timed(over_rest), await _timed(bare)
                ratio = round(percentiles(rest)["p50 ms"] / percentiles(alone)["p50 ms"], 1)
                report.rows.append(
                    {
                        "": name,
                        "documents": size,
                        **percentiles(rest),
                        "bare p50 ms": percentiles(alone)["p50 ms"],
                        "ratio": ratio,
                    }
                )
    if not quick:
        PICTURE.write_text(_picture(report))
        section(PAGE, "api", _section(report))
    return report


async def _fill(database: psycopg.AsyncConnection, reader: Person, before: int, size: int) -> list[UUID]:
    about = {"org": reader.org_id, "user": reader.user["id"], "words": WORDS, "found": FOUND}
    await database.execute(_FILL, {**about, "first": before + 1, "last": size})
    await database.execute("ANALYZE documents, document_streams, document_texts")
    rows = await database.execute("SELECT id FROM documents ORDER BY md5(id::text) LIMIT %s", [ASKED])
    return [row[0] for row in await rows.fetchall()]


def _questions(reader: Person, database: psycopg.AsyncConnection, ids: list[UUID]) -> Iterator[tuple[str, Ask, Ask]]:
    """Of each kind: its name, and who asks the api and Postgres for the same, the how-manieth time."""
    org = reader.org_id

    async def get(path: str, **parameters: str) -> None:
        (await reader.api.get(path, params=parameters)).raise_for_status()

    async def select(statement: str, *given: object) -> None:
        await (await database.execute(statement, given)).fetchall()

    yield "GET a document", lambda n: get(f"/documents/{ids[n]}"), lambda n: select(_READ, ids[n])
    yield "GET the newest 50", lambda _: get(f"/orgs/{org}/documents", limit="50"), lambda _: select(_LIST, org)
    yield (
        "search, ten found",
        lambda n: get(f"/orgs/{org}/search", q=f"needle{n}"),
        lambda n: select(_SEARCH, org, f"'needle{n}':*", f"'needle{n}':*"),
    )


async def _timed(ask: Ask) -> list[float]:
    await ask(0)  # the first makes connections and plans
    seconds: list[float] = []
    for number in range(ASKED):
        started = time.perf_counter()
        await ask(number)
        seconds.append(time.perf_counter() - started)
        if sum(seconds) > SECONDS:
            break
    return seconds


def _picture(report: Report) -> str:
    panels = []
    for name in dict.fromkeys(str(row[""]) for row in report.rows):
        rows = [row for row in report.rows if row[""] == name]
        panels.append(bars.Panel(name, "p50 ms, by documents", bars.beside(rows, "documents", "p50 ms")))
    return bars.draw(panels, [f"{size:,}" for size in SIZES])


def _section(report: Report) -> str:
    about = circumstances()
    return f"""\
## Reading as an organization grows

![Bar charts of the table below](pictures/{PICTURE.name})

`./doxie bench api`: one document, the newest fifty, and a search for a word that ten documents have, of {WORDS} words
each, by somebody who asks one request after another; beside it the same rows by one bare statement through the same
driver, without anybody's rights.

{report.markdown()}
Measured on one machine, server and driver together ({about["cpu"]}, {about["date"]}).
"""
