"""Who somebody is: what it costs to know, and that nothing outdated is believed."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import jwt
import pytest
from redis.asyncio import Redis

from infra import identities
from infra.bus import Bus, Revocation
from infra.identities import Identities
from infra.redis import Volatile
from models import auth, documents
from tests.conftest import Stack
from tests.people import Person
from tests.security.processes import Process, api_process


@pytest.fixture
async def process(stack: Stack) -> AsyncIterator[Process]:
    async with api_process(stack.settings) as running:
        yield running


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    async with Redis.from_url(stack.settings.redis_url.get_secret_value(), decode_responses=True) as client:
        yield client


def claims_of(person: Person) -> dict[str, str]:
    token = person.api.headers["authorization"].removeprefix("Bearer ")
    claims: dict[str, str] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_an_identity_costs_one_round_trip_and_none_once_it_is_remembered(ann: Person, process: Process) -> None:
    path = f"/documents/{ann.document['id']}"
    runtime = process.app.state.runtime

    async def trips_of_the_rest() -> int:
        """The same work by somebody whose identity is known."""
        before = process.postgres.trips
        actor = auth.Actor(UUID(ann.user["id"]), None, "Ann", frozenset({ann.org_id}))
        async with runtime.db.transaction(user_id=actor.user_id, org_ids=actor.org_ids) as session:
            await documents.enter(session, actor, ann.document_id)
        return process.postgres.trips - before

    await trips_of_the_rest()  # opens the connection
    rest = await trips_of_the_rest()
    assert rest == 3, "beginning, the document, the commit"
    found = []
    await runtime.bus.revoke(Revocation(user_id=UUID(ann.user["id"])))
    async with process.client(ann.api.headers) as api:
        for _ in range(3):
            before = process.postgres.trips
            assert (await api.get(path)).status_code == 200
            found.append(process.postgres.trips - before - rest)
    assert found == [1, 0, 0]
    print(f"round trips to Postgres for GET /documents/{{id}}: {rest}, and for the identity {found}")


async def test_beginning_a_transaction_with_its_scope_is_one_round_trip(ann: Person, process: Process) -> None:
    db = process.app.state.runtime.db
    for scope in ({}, {"user_id": UUID(ann.user["id"]), "org_ids": [ann.org_id]}):
        for _ in range(12):  # past the point where the driver would prepare it
            before = process.postgres.trips
            async with db.transaction(**scope):
                pass
            assert process.postgres.trips - before <= 2 or before == 0


async def test_logging_out_at_one_process_is_known_to_the_others_at_once(ann: Person, stack: Stack) -> None:
    async with (
        api_process(stack.settings) as one,
        api_process(stack.settings) as two,
        one.client(ann.api.headers) as here,
        two.client(ann.api.headers) as there,
    ):
        for api in (here, there, here):
            assert (await api.get("/auth/me")).status_code == 200
        assert (await there.post("/auth/logout")).status_code == 204
        assert [(await api.get("/auth/me")).status_code for api in (here, there)] == [401, 401]


async def test_joining_and_leaving_show_at_once(ann: Person, bob: Person) -> None:
    path = f"/documents/{ann.document['id']}"
    assert (await bob.api.get(path)).status_code == 404
    await ann.invite(bob)
    assert (await bob.api.get(path)).status_code == 200
    assert (await ann.api.delete(f"/orgs/{ann.org['id']}/members/{bob.user['id']}")).status_code == 204
    assert (await bob.api.get(path)).status_code == 404


async def test_a_wiped_redis_brings_nothing_back(ann: Person, process: Process, redis: Redis) -> None:
    async with process.client(ann.api.headers) as api:
        assert (await api.get("/auth/me")).status_code == 200
        await api.post("/auth/logout")
        await redis.flushall()
        for _ in range(3):
            assert (await api.get("/auth/me")).status_code == 401


@pytest.mark.parametrize("wiped", [False, True], ids=["kept", "wiped"])
@pytest.mark.parametrize("what", ["user", "session", "org"])
async def test_what_was_read_before_a_revocation_is_never_believed(
    stack: Stack, redis: Redis, what: str, wiped: bool
) -> None:
    """The reader asked Postgres before, and keeps what it found afterwards."""
    volatile = Volatile(stack.settings.redis_url.get_secret_value())
    known, bus = Identities(volatile, doubted=lambda: False), Bus(stack.settings.redis_url.get_secret_value())
    user_id, session_id = uuid4(), uuid4()
    revocation = {
        "user": Revocation(user_id=user_id, org_id=uuid4()),
        "session": Revocation(session_id=session_id),
        "org": Revocation(org_id=uuid4()),
    }[what]
    for _ in range(2):  # where there is no generation yet, and where there is one
        reading = await known.recall(user_id, session_id)
        assert reading.generations is not None
        await known.keep(user_id, session_id, {"name": "of now"}, reading.generations)
        assert (await known.recall(user_id, session_id)).identity == {"name": "of now"}
        await bus.revoke(revocation)
        if wiped:
            await redis.flushall()
        assert (await known.recall(user_id, session_id)).identity is None
        await known.keep(user_id, session_id, {"name": "outdated"}, reading.generations)
        assert (await known.recall(user_id, session_id)).identity is None
    await volatile.close()
    await bus.close()


async def test_what_is_remembered_lasts_half_a_minute(ann: Person, process: Process, redis: Redis) -> None:
    async with process.client(ann.api.headers) as api:
        await api.get("/auth/me")
    claims = claims_of(ann)
    ttl = await redis.ttl(f"doxie:identity:{claims['sub']}:{claims['sid']}")
    assert 0 < ttl <= identities.KEEP_SECONDS == 30


@pytest.mark.parametrize("hangs", [False, True], ids=["refuses", "hangs"])
async def test_without_redis_postgres_is_asked_and_nothing_revoked_comes_back(
    ann: Person, bob: Person, process: Process, hangs: bool
) -> None:
    async with process.client(ann.api.headers) as api, process.client(bob.api.headers) as other:
        for client in (api, other):
            assert (await client.get("/auth/me")).status_code == 200
        if hangs:
            process.redis.hang()
        else:
            await process.redis.close()
        assert (await api.get("/auth/me")).status_code == 200
        assert (await api.post("/auth/logout")).status_code == 204
        assert (await api.get("/auth/me")).status_code == 401
        await process.redis.open()
        bus = process.app.state.runtime.bus
        async with asyncio.timeout(20):
            while bus.owes:
                assert (await api.get("/auth/me")).status_code == 401, "while Redis has not heard of it"
                await asyncio.sleep(0.01)
        for _ in range(3):
            assert (await api.get("/auth/me")).status_code == 401, "afterwards"
        assert (await other.get("/auth/me")).status_code == 200
