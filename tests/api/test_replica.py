"""Reads from a real streaming replica: never older than what was committed, and nobody notices when it is away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel import select
from structlog.testing import capture_logs

from infra.db import Database
from infra.replica import Reads
from models.documents.tables import Document
from tests.conftest import Stack
from tests.flows.valve import Valve
from tests.people import Pen, Person
from tests.replica import following
from tests.security.processes import Process, api_process


@dataclass(frozen=True, slots=True)
class Pair:
    """An API process with a replica behind a valve."""

    process: Process
    valve: Valve
    replica_url: str
    """Of the superuser, past the valve."""

    @property
    def reads(self) -> Reads:
        """Where its reads go."""
        reads: Reads = self.process.app.state.runtime.reads
        return reads

    def client(self, person: Person) -> httpx.AsyncClient:
        """Somebody at this process."""
        return self.process.client({"authorization": person.api.headers["authorization"]})

    async def answer(self, client: httpx.AsyncClient, path: str) -> httpx.Response:
        """What the replica answers; on a busy machine it does not always catch up in time at once."""
        for _ in range(50):
            before = self.reads.from_replica
            response = await client.get(path)
            if self.reads.from_replica > before:
                return response
            await asyncio.sleep(0.2)
        raise AssertionError(f"the primary answers {path}")

    async def listed(self, client: httpx.AsyncClient, org: str) -> set[str]:
        """The documents that the replica shows."""
        return _ids(await self.answer(client, f"{org}/documents?limit=200"))

    async def on_replica(self, sql: str) -> None:
        """Run something there as the superuser."""
        async with await psycopg.AsyncConnection.connect(self.replica_url, autocommit=True) as connection:
            await connection.execute(sql.encode())


@pytest.fixture(scope="module")
async def pair(stack: Stack) -> AsyncIterator[Pair]:
    async with following(stack) as port, Valve(port) as valve:
        app_url, owner_url = (
            url.get_secret_value() for url in (stack.settings.app_database_url, stack.settings.database_url)
        )
        replica = SecretStr(_at(app_url, valve.port))
        async with api_process(stack.settings, app_database_replica_url=replica, rate_limit_factor=1000.0) as process:
            yield Pair(process, valve, _at(owner_url, port))


async def test_the_replica_answers_what_only_reads_as_the_primary_does(pair: Pair, stack: Stack, ann: Person) -> None:
    await ann.save(Pen().write("Hello replica"))
    org, document = f"/orgs/{ann.org['id']}", f"/documents/{ann.document['id']}"
    await ann.json("POST", f"{document}/revisions", json={"name": "first"})
    paths = [
        f"{org}/documents",
        f"{org}/search?q=Notes",
        f"{org}/members",
        f"{org}/groups",
        f"{org}/audit",
        f"{org}/pipeline",
        f"{org}/webhooks",
        f"{document}/state",
        f"{document}/content",
        f"{document}/revisions",
        f"{document}/revisions/1",
        f"{document}/revisions/1/state",
        f"{document}/revisions/1/content",
        f"{document}/revisions/1/diff?from=0",
        f"{document}/revisions/1/attribution",
        f"{document}/pipeline",
        f"{document}/grants",
        f"{document}/share-links",
        f"{document}/access-requests",
        "/notifications",
    ]
    async with api_process(stack.settings, rate_limit_factor=1000.0) as plain:
        headers = {"authorization": ann.api.headers["authorization"]}
        async with pair.client(ann) as here, plain.client(headers) as there:
            for path in paths:
                for _ in range(50):
                    ours, theirs = await pair.answer(here, path), await there.get(path)
                    assert ours.status_code == theirs.status_code == 200, (path, ours.text, theirs.text)
                    if ours.content == theirs.content:
                        break
                    await asyncio.sleep(0.2)  # the pipeline has gone on in between
                assert ours.content == theirs.content, path


async def test_a_read_finds_what_was_written_before_it(pair: Pair, ann: Person, bob: Person) -> None:
    """Whoever wrote it, and what was taken away is not there: no right outlives its end on the replica."""
    await ann.invite(bob, role="guest")
    org = f"/orgs/{ann.org['id']}"
    async with pair.client(bob) as client:
        for number in range(60):
            document = await ann.json("POST", f"{org}/documents", json={"title": f"Number {number}"})
            grant = f"/documents/{document['id']}/grants/users/{bob.user['id']}"
            await ann.json("PUT", grant, json={"level": "read"})
            assert document["id"] in await pair.listed(client, org)
            await ann.json("DELETE", grant)
            assert document["id"] not in await pair.listed(client, org)


async def test_its_rows_are_hidden_there_as_well(pair: Pair, ann: Person, bob: Person) -> None:
    async def seen(org_ids: list[UUID]) -> set[UUID]:
        for _ in range(50):
            async with pair.reads.transaction(org_ids=org_ids) as session:
                if await session.scalar(text("SELECT pg_is_in_recovery()")):
                    return set(await session.scalars(select(Document.id)))
            await asyncio.sleep(0.2)
        raise AssertionError("the primary answers")

    assert await seen([ann.org_id]) == {ann.document_id}
    assert await seen([bob.org_id]) == {bob.document_id}
    assert await seen([]) == set()
    async with pair.client(bob) as client:
        assert (await client.get(f"/orgs/{ann.org['id']}/documents")).status_code == 404


async def test_a_replica_that_lags_is_left_until_it_has_caught_up(pair: Pair, ann: Person) -> None:
    org = f"/orgs/{ann.org['id']}"
    async with pair.client(ann) as client:
        await pair.on_replica("SELECT pg_wal_replay_pause()")
        with capture_logs() as logs:
            for _ in range(5):
                document = await ann.create_document("Not there yet")
                assert document["id"] in await _listed(client, org)
            assert pair.reads.away
            await pair.on_replica("SELECT pg_wal_replay_resume()")
            await _until(lambda: not pair.reads.away)
        assert _lines(logs) == ["warning", "info"]
        assert document["id"] in (await pair.answer(client, f"{org}/documents")).text


@pytest.mark.parametrize("how", ["close", "hang"])
async def test_nobody_notices_a_replica_that_is_away(pair: Pair, ann: Person, how: str) -> None:
    org = f"/orgs/{ann.org['id']}"
    async with pair.client(ann) as client:
        await pair.answer(client, f"{org}/documents")
        with capture_logs() as logs:
            if how == "close":
                await pair.valve.close()
            else:
                pair.valve.hang()
            answers = await asyncio.gather(*(_listed(client, org) for _ in range(20)))
            assert all(ann.document["id"] in found for found in answers)
            assert pair.reads.away
            asked, before = pair.reads.from_primary, pair.reads.from_replica
            await _listed(client, org)
            assert (pair.reads.from_primary, pair.reads.from_replica) == (asked + 1, before)  # it is not asked any more
            await pair.valve.open()
            await _until(lambda: not pair.reads.away)
        assert _lines(logs) == ["warning", "info"]
        assert ann.document["id"] in (await pair.answer(client, f"{org}/documents")).text


async def test_the_metrics_say_who_answers(pair: Pair, ann: Person) -> None:
    async with pair.client(ann) as client:
        await _listed(client, f"/orgs/{ann.org['id']}")
        text = (await client.get("http://doxie.test/metrics")).text
    assert f'doxie_api_reads_total{{from="replica"}} {pair.reads.from_replica}' in text
    assert "doxie_api_replica_away 0" in text


async def test_one_that_was_promoted_is_no_replica(pair: Pair, db: Database, ann: Person) -> None:
    """The last of this module: it does not follow again."""
    await pair.on_replica("SELECT pg_promote()")
    org = f"/orgs/{ann.org['id']}"
    async with pair.client(ann) as client:
        document = await ann.create_document("Where the primary is")
        assert document["id"] in await _listed(client, org)
    assert pair.reads.away


async def _listed(client: httpx.AsyncClient, org: str) -> set[str]:
    return _ids(await client.get(f"{org}/documents", params={"limit": 200}))


def _ids(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {item["id"] for item in answer.json()["items"]}


def _lines(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["log_level"] for line in logs if "the replica is" in line["event"]]


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it does not come back")


def _at(url: str, port: int) -> str:
    return url.replace(f":{urlsplit(url).port}/", f":{port}/")
