"""The torture run, small; and each of its checks shown to find what it looks for."""

import asyncio
import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pycrdt
import pytest
from sqlalchemy import Uuid, bindparam, text

from models.documents.journal import Entry, link
from models.documents.tables import GENESIS
from tests.collab.world import World, found, running
from tests.conftest import Stack
from tests.infra.stack.command import clean_environment
from tests.torture import checks, faults, outages
from tests.torture.clients import Editor, Record, Writer
from tests.torture.processes import until

LOCK = text("SELECT 1 FROM document_streams WHERE document_id = :document FOR UPDATE").bindparams(
    bindparam("document", type_=Uuid)
)


@pytest.fixture
async def world(stack: Stack) -> AsyncIterator[World]:
    made = await found(stack.settings)
    yield made
    await made.db.close()


def test_a_seed_is_a_plan() -> None:
    first, again, other = (list(faults.plan(seed, 200, 1.0)) for seed in (5, 5, 6))
    assert first == again != other
    assert sum(fault.kind == "kill" for fault in first) == 200
    assert {fault.target for fault in first if fault.kind == "kill"} == faults.VICTIMS.keys()
    assert {fault.kind for fault in first} == {"kill", "freeze", "slow", "hang", "cut", "refuse", "orphan"}


def test_an_outage_is_everybodys() -> None:
    assert [fault.target for fault in faults.outage("postgres", 30)] == ["postgres"]
    away = list(faults.outage("redis", 600))
    assert {fault.target for fault in away} == {link for link in faults.LINKS if link.endswith("> redis")}
    assert [fault.pause for fault in away][1:] == [0.0] * (len(away) - 1), "all at once"


# --- the checks: nothing to say about a good journal, and about each bad one what is wrong ---


def written() -> tuple[list[bytes], list[Record]]:
    """Two writers of one document, whose edits were all promised, in the order in which they were journaled."""
    document = uuid4()
    writers = [Writer(number, document, random.Random(number), lambda _: None) for number in (1, 2)]
    payloads = [writers[place % 2].edit() for place in range(20)]
    for writer in writers:
        writer.promised(10)
    return payloads, [writer.record for writer in writers]


def entries(payloads: list[bytes]) -> list[Entry]:
    chain, made = GENESIS, []
    for seq, payload in enumerate(payloads, start=1):
        chain = link(chain, payload)
        made.append(Entry(seq, payload, chain, None, None))  # type: ignore[arg-type]
    return made


def complaints(rows: list[Entry], records: list[Record], sockets: Collection[int] = ()) -> str:
    _, content = checks.replay([row.payload for row in rows])
    return "\n".join([*checks.journal(rows, records, sockets), *checks.content(content, records)])


def without_one(rows: list[Entry]) -> list[Entry]:
    return rows[:7] + rows[8:]


def one_lost(rows: list[Entry]) -> list[Entry]:
    return entries([row.payload for row in (*rows[:5], *rows[6:])])


def one_flipped(rows: list[Entry]) -> list[Entry]:
    return [*rows[:7], replace(rows[7], payload=rows[7].payload[:-1] + b"\1"), *rows[8:]]


def one_doubled(rows: list[Entry]) -> list[Entry]:
    return entries([row.payload for row in (*rows, rows[5])])


def two_swapped(rows: list[Entry]) -> list[Entry]:
    payloads = [row.payload for row in rows]
    payloads[4], payloads[6] = payloads[6], payloads[4]
    return entries(payloads)


def a_strangers(rows: list[Entry]) -> list[Entry]:
    stranger = Writer(3, uuid4(), random.Random(3), lambda _: None)
    return entries([*(row.payload for row in rows), stranger.edit()])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_one, "seq 8 is missing"),
        (one_flipped, "the hash chain breaks at seq 8"),
        (one_lost, "is there 0 times"),
        (one_doubled, "1 times journaled again, 0 times sent again"),
        (two_swapped, "came after"),
        (a_strangers, "was typed by nobody"),
    ],
)
def test_the_checks_see(spoil: Callable[[list[Entry]], list[Entry]], said: str) -> None:
    payloads, records = written()
    assert complaints(entries(payloads), records) == ""
    assert said in complaints(spoil(entries(payloads)), records)


def test_a_promised_seq_has_to_be_kept() -> None:
    payloads, records = written()
    records[0].seqs = {1: payloads[0]}
    assert complaints(entries(payloads), records) == ""
    records[0].seqs = {2: payloads[0]}
    assert "was promised seq 2" in complaints(entries(payloads), records)


def test_what_has_a_key_is_there_once() -> None:
    payloads, records = written()
    records[0].exact, records[0].returns, records[0].seqs = True, 3, {1: payloads[0]}
    assert complaints(entries(payloads), records) == ""
    again = entries([*payloads, payloads[0]])
    assert "edits of writer 1 are 1 times journaled again, 0 times sent again" in complaints(again, records)


def test_who_comes_back_may_offer_what_others_wrote() -> None:
    payloads, records = written()
    records[0].exact = True
    # Of two, or the very same bytes.
    for update in (pycrdt.merge_updates(*payloads[:2]), payloads[0]):
        offered, records[1].returns = entries([*payloads, update]), 0
        assert "edits of others are 1 times journaled again, 0 times sent again" in complaints(offered, records, {21})
        records[1].returns = 1
        assert complaints(offered, records, {21}) == ""


def test_replicas_that_differ_are_seen() -> None:
    payloads, _ = written()
    replay = "the journal's replay"
    good, short = checks.replay(payloads), checks.replay(payloads[:-1])
    assert list(checks.same({replay: good, "other": good})) == []
    assert "has seen other edits" in next(checks.same({replay: good, "other": short}))
    assert "has another text" in next(checks.same({replay: good, "other": (good[0], good[1] + "!")}))


# --- on real processes ---


async def promised_and_killed(world: World, inside: list[str]) -> int:
    """How many acknowledged edits are gone after a collab process was killed that could not commit."""
    document = await world.document()
    async with running(world.settings, inside=inside) as collab:
        editor = Editor(
            1, document, random.Random(1), lambda _: None, urls=[collab.url], token=world.token, pause=0.002
        )
        stop = asyncio.Event()
        typing = asyncio.create_task(editor.run(stop))

        async def typed() -> bool:
            return len(editor.record.typed) > 20

        # The document is locked, as if a commit took long: what is promised meanwhile is promised too early.
        async with world.db.transaction(org_ids=[world.org_id]) as session:
            await session.execute(LOCK, {"document": document})
            assert await until(typed, 20)
            await asyncio.sleep(0.2)
            await collab.kill()
        typing.cancel()
        await asyncio.gather(typing, return_exceptions=True)
    _, content = checks.replay([entry.payload for entry in await world.journal(document)])
    return checks.lost(content, [editor.record])


@pytest.mark.parametrize("bug", ["", "promise-early"])
async def test_a_promise_before_the_commit_is_found(world: World, bug: str) -> None:
    lost = await promised_and_killed(world, [sys.executable, "-m", "tests.torture.sabotage", bug] if bug else [])
    assert (lost > 0) == bool(bug)


def test_fifty_kills(tmp_path: Path) -> None:
    report, size = tmp_path / "report.html", ("--documents", "3", "--editors", "2", "--pace", "0.5")
    printed = bench("torture", "--kills", "50", "--seed", "7", *size, "--report", str(report), home=tmp_path / "home")
    assert re.search(r"seed 7: 50 kills, \d+ other faults", printed)
    acknowledged, lost = re.findall(r"([\d,]+) edits acknowledged, (\d+) lost", printed)[-1]
    assert (int(acknowledged.replace(",", "")) > 500, lost) == (True, "0")
    assert "Nothing was lost" in report.read_text()


@pytest.mark.long
def test_each_store_is_away(tmp_path: Path) -> None:
    printed = bench("outages", "--seconds", "30", home=tmp_path / "home")
    assert all(f"{store} is away for 30 s" in printed for store in outages.STORES)


def bench(*arguments: str, home: Path) -> str:
    """Run a command of the benchmarks on a stack of its own, since the other tests need theirs; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments, "--keep", str(home)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
