"""Autosaves that arrive together share a commit, and nothing else: each is answered for itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.documents.saving import Saver
from infra import clock
from infra.bus import Bus
from infra.herald import Herald
from models.auth import Actor
from models.documents import DocumentFull, DocumentGone, journal
from tests.collab import world as worlds
from tests.collab.world import World
from tests.conftest import Stack
from tests.people import OCTETS, Pen, Person


@pytest.fixture(scope="module")
async def world(stack: Stack) -> AsyncIterator[World]:
    found = await worlds.found(stack.settings)
    yield found
    await found.db.close()


@pytest.fixture
async def saver(stack: Stack) -> AsyncIterator[Saver]:
    bus = Bus(stack.settings.redis_url.get_secret_value())
    made = Saver(stack.settings.app_database_url.get_secret_value(), Herald(bus))
    yield made
    await made.close()
    await bus.close()


async def test_what_arrives_together_is_one_commit(world: World, saver: Saver) -> None:
    names = [await world.document() for _ in range(4)]
    pens = [Pen() for _ in names]
    saves = [(number % 4, pens[number % 4].write("word ")) for number in range(40)]
    seqs = await asyncio.gather(*(saver.save(world.actor, names[place], update) for place, update in saves))
    assert seqs == [number // 4 + 1 for number in range(40)], "in the order in which they came"
    moments = set()
    for place, name in enumerate(names):
        entries = await world.journal(name)
        assert [entry.payload for entry in entries] == [update for at, update in saves if at == place]
        assert {entry.actor_id for entry in entries} == {world.actor.user_id}
        moments |= {entry.created_at for entry in entries}
    assert len(moments) == 1


async def test_nobody_suffers_for_others(
    world: World, saver: Saver, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = await worlds.found(stack.settings)
    name, gone, full = [await world.document() for _ in range(3)]
    await world.trash(gone)
    monkeypatch.setattr(world.settings, "max_document_bytes", 1000)
    # As if somebody had an organization too many in what is remembered of them: who may is asked per person.
    nosy = Actor(stranger.actor.user_id, stranger.actor.session_id, "Nosy", frozenset({world.org_id}))
    update = Pen().write("word ")
    good, trashed, nowhere, foreign, too_much, last = await asyncio.gather(
        saver.save(world.actor, name, update),
        saver.save(world.actor, gone, update),
        saver.save(world.actor, clock.new_id(), update),
        saver.save(nosy, name, update),
        saver.save(world.actor, full, bytes(1001)),
        saver.save(world.actor, name, update),
        return_exceptions=True,
    )
    assert (good, last) == (1, 2)
    assert [type(error) for error in (trashed, nowhere, foreign)] == [DocumentGone] * 3
    assert isinstance(too_much, DocumentFull)
    assert len(await world.journal(name)) == 2
    await stranger.db.close()


async def test_what_postgres_refuses_is_refused_alone(
    world: World, saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, update = await world.document(), Pen().write("word ")
    real = journal.Edit

    def edit(*arguments: Any) -> journal.Edit:
        made = real(*arguments)
        return made if made.payload == update else made._replace(origin="no \0 in text")

    monkeypatch.setattr(journal, "Edit", edit)
    found = await asyncio.gather(
        saver.save(world.actor, name, update),
        saver.save(world.actor, name, b"odd"),
        saver.save(world.actor, name, update),
        return_exceptions=True,
    )
    assert isinstance(found[1], Exception)
    assert [found[0], found[2]] == [1, 2]


async def test_a_key_still_answers_twice_the_same(ann: Person) -> None:
    update, path = Pen().write("once "), f"/documents/{ann.document['id']}/updates"
    keyed = {**OCTETS, "idempotency-key": "autosave-1"}
    elsewhere = {**keyed, "host": "the-same-by-another-name.example"}
    answers = [await ann.api.post(path, content=update, headers=headers) for headers in (keyed, keyed, elsewhere)]
    assert [answer.json() for answer in answers] == [{"seq": 1}] * 3
    assert await ann.save(Pen().write("again ")) == 2


async def test_a_malformed_update_tells_strangers_nothing(ann: Person, bob: Person) -> None:
    path = f"/documents/{ann.document['id']}/updates"
    assert (await ann.api.post(path, content=b"\xff", headers=OCTETS)).status_code == 422
    assert (await bob.api.post(path, content=b"\xff", headers=OCTETS)).status_code == 404
