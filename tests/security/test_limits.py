"""Rate limits: what they allow, whom they count, and that a victim is not locked out."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from ipaddress import ip_address

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.limits import ROUTES, RULES
from infra import hashing
from infra.limits import Charge, Limiter, LocalLimiter, Quota
from infra.proxies import client_address, neighbourhood
from infra.redis import Volatile
from tests import routes
from tests.conftest import Stack
from tests.people import Person
from tests.security.processes import api_process

PROXY = "10.0.0.1"


@pytest.fixture
async def limiter(stack: Stack) -> AsyncIterator[Limiter]:
    volatile = Volatile(stack.settings.redis_url.get_secret_value())
    yield Limiter(volatile)
    await volatile.close()


def address() -> str:
    """One that no other test has."""
    return str(ip_address(secrets.randbits(32) | 1))


# --- the algorithm ---


async def test_so_many_at_once_and_no_more(limiter: Limiter) -> None:
    quota, whose = Quota("test", 5, 3600), secrets.token_hex(8)
    for left in (4, 3, 2, 1, 0):
        verdict = await limiter.take([Charge(quota, whose)])
        assert (verdict.allowed, verdict.remaining) == (True, left)
    verdict = await limiter.take([Charge(quota, whose)])
    assert not verdict.allowed
    assert 700 < verdict.wait <= 720
    assert 3500 < verdict.full_in <= 3600


async def test_all_limits_are_charged_or_none(limiter: Limiter) -> None:
    wide, narrow, whose = Quota("wide", 10, 3600), Quota("narrow", 1, 3600), secrets.token_hex(8)
    for _ in range(5):
        await limiter.take([Charge(wide, whose), Charge(narrow, whose)])
    verdict = await limiter.take([Charge(wide, whose)])
    assert verdict.remaining == 8


async def test_looking_costs_nothing(limiter: Limiter) -> None:
    quota, whose = Quota("test", 1, 3600), secrets.token_hex(8)
    for _ in range(3):
        assert (await limiter.take([Charge(quota, whose, cost=0)])).allowed
    await limiter.take([Charge(quota, whose)])
    assert not (await limiter.take([Charge(quota, whose, cost=0)])).allowed


@given(count=st.integers(1, 20), seconds=st.integers(1, 100), pauses=st.lists(st.floats(0, 30), max_size=60))
def test_never_more_than_the_quota_in_any_stretch(count: int, seconds: int, pauses: list[float]) -> None:
    now, local, allowed = 1000.0, LocalLimiter(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.limits.time.monotonic", lambda: now)
        for pause in pauses:
            now += pause
            verdict = local.take([Charge(Quota("q", count, seconds), "who")])
            if verdict.allowed:
                allowed.append(now)
            else:
                now += verdict.wait
                assert local.take([Charge(Quota("q", count, seconds), "who")]).allowed, "as it was told"
                allowed.append(now)
    for first, start in enumerate(allowed):
        within = sum(start <= at < start + seconds for at in allowed[first:])
        assert within <= 2 * count, "what was saved up, and what was refilled"


# --- the door ---


def test_every_entry_names_a_route_and_a_rule() -> None:
    assert set(ROUTES) <= {route.name for route in routes.live()}
    assert set(ROUTES.values()) <= set(RULES)


async def test_a_refusal_says_when_to_come_back(stack: Stack) -> None:
    async with (
        api_process(stack.settings, rate_limit_factor=1.0, rate_limits={"register:ip": "1/3600"}) as process,
        process.client(address=address()) as api,
    ):
        account = {"email": "not an address", "password": "x", "name": "X"}
        assert (await api.post("/auth/register", json=account)).status_code == 422
        answer = await api.post("/auth/register", json=account)
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:doxie:TooMany"
    assert 3590 < int(answer.headers["retry-after"]) <= 3600
    assert answer.headers["ratelimit-policy"] == '"register:ip";q=1;w=3600'
    assert answer.headers["ratelimit"].startswith('"register:ip";r=0;t=')


async def sign_in(api: httpx.AsyncClient, person: Person, password: str | None = None) -> int:
    body = {"email": person.email, "password": password or person.password}
    return (await api.post("/auth/login", json=body)).status_code


async def test_guessing_locks_the_guesser_out_and_not_the_victim(ann: Person, stack: Stack) -> None:
    numbers = {"sign-in:ip+account": "3/3600", "sign-in:failed": "6/3600"}
    async with api_process(stack.settings, rate_limit_factor=1.0, rate_limits=numbers) as process:
        home, cafe = address(), address()
        async with process.client(address=home) as known:
            assert await sign_in(known, ann) == 200
            await known.post("/auth/logout")
            async with process.client(address=address()) as guesser:
                assert [await sign_in(guesser, ann, "a guess") for _ in range(5)] == [401, 401, 401, 429, 429]
            async with process.client(address=cafe) as elsewhere:
                assert await sign_in(elsewhere, ann) == 200, "one guesser is not everybody"
            for _ in range(3):
                async with process.client(address=address()) as guesser:
                    last = [await sign_in(guesser, ann, "a guess") for _ in range(3)]
            assert last == [429, 429, 429], "guesses from everywhere are too many, too"
            async with process.client(address=address()) as right:
                assert await sign_in(right, ann) == 429, "or the guesses would go on"
            assert await sign_in(known, ann) == 200, "who has signed in here before still can"
            assert [await sign_in(known, ann, "a guess") for _ in range(3)][-1] == 429, "but guesses no better"


async def test_a_forged_device_is_no_device(ann: Person, bob: Person, stack: Stack) -> None:
    numbers = {"sign-in:ip+account": "3/3600", "sign-in:failed": "1/3600"}
    async with api_process(stack.settings, rate_limit_factor=1.0, rate_limits=numbers) as process:
        async with process.client(address=address()) as guesser:
            assert await sign_in(guesser, bob) == 200  # a device of bob's
            assert await sign_in(guesser, ann, "a guess") == 401
        async with process.client(address=address()) as guesser:
            guesser.cookies["doxie_device"] = "device.0123456789abcdef"
            assert await sign_in(guesser, ann, "a guess") == 429


async def test_an_attacker_behind_the_same_address_does_not_matter_to_a_known_device(ann: Person, stack: Stack) -> None:
    async with api_process(stack.settings, rate_limit_factor=1.0, rate_limits={"sign-in:ip": "2/3600"}) as process:
        office = address()
        async with process.client(address=office) as known, process.client(address=office) as attacker:
            assert await sign_in(known, ann) == 200
            assert [await sign_in(attacker, ann, "a guess") for _ in range(2)] == [401, 429]
            assert await sign_in(known, ann) == 200


async def test_one_customer_of_ipv6_is_one(stack: Stack) -> None:
    assert neighbourhood("2001:db8:1:2:3:4:5:6") == neighbourhood("2001:db8:1:2::1") != neighbourhood("2001:db8:1:3::1")
    assert neighbourhood("::ffff:192.0.2.1") == "192.0.2.1"
    async with api_process(stack.settings, rate_limit_factor=1.0, rate_limits={"register:ip": "1/3600"}) as process:
        prefix = f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}"
        codes = []
        for host in ("::1", "::2", ":ffff::3"):
            async with process.client(address=f"{prefix}{host}") as api:
                codes.append((await api.post("/auth/register", json={})).status_code)
    assert codes == [422, 429, 429]


async def test_without_redis_strict_limits_hold_and_the_others_are_open(ann: Person, stack: Stack) -> None:
    numbers = {"sign-in:ip+account": "8/3600", "read:account": "1/3600"}
    async with api_process(stack.settings, rate_limit_factor=1.0, rate_limits=numbers) as process:
        await process.redis.close()
        async with process.client(address=address()) as guesser:
            assert [await sign_in(guesser, ann, "a guess") for _ in range(4)] == [401, 401, 429, 429]
        async with process.client(ann.api.headers, address=address()) as api:
            assert [(await api.get("/auth/me")).status_code for _ in range(5)] == [200] * 5
        await process.redis.open()


async def test_an_organization_has_a_share_of_its_own(ann: Person, bob: Person, stack: Stack) -> None:
    async with api_process(stack.settings, rate_limit_factor=1.0, rate_limits={"read:org": "2/3600"}) as process:
        async with process.client(ann.api.headers) as api:
            assert [(await api.get(f"/orgs/{ann.org['id']}")).status_code for _ in range(3)] == [200, 200, 429]
        async with process.client(bob.api.headers) as api:
            assert (await api.get(f"/orgs/{bob.org['id']}")).status_code == 200


# --- proxies ---

TRUSTED = ["10.0.0.0/8", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "x_forwarded_for", "client"),
    [
        ("203.0.113.9", None, "1.2.3.4", "203.0.113.9"),
        ("203.0.113.9", "for=1.2.3.4", None, "203.0.113.9"),
        ("10.0.0.1", None, "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", None, "9.9.9.9, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", None, "9.9.9.9, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", None, "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "for=1.2.3.4;proto=https", "9.9.9.9", "1.2.3.4"),
        ("10.0.0.1", 'for="[2001:db8:cafe::17]:4711"', None, "2001:db8:cafe::17"),
        ("10.0.0.1", 'For=9.9.9.9, proto=https;FOR="1.2.3.4:80"', None, "1.2.3.4"),
        ("10.0.0.1", "for=unknown", None, "10.0.0.1"),
        ("10.0.0.1", "for=_hidden, for=10.0.0.2", None, "10.0.0.2"),
        ("10.0.0.1", None, "1.2.3.4, nonsense", "10.0.0.1"),
        ("10.0.0.1", None, "", "10.0.0.1"),
        ("10.0.0.1", None, None, "10.0.0.1"),
        ("::ffff:10.0.0.1", None, "1.2.3.4", "1.2.3.4"),
        ("", None, "1.2.3.4", ""),
    ],
)
def test_only_our_proxies_say_for_whom_they_ask(
    peer: str, forwarded: str | None, x_forwarded_for: str | None, client: str
) -> None:
    assert client_address(peer, forwarded, x_forwarded_for, TRUSTED) == client


def test_without_proxies_nobody_is_believed() -> None:
    assert client_address("10.0.0.1", "for=1.2.3.4", "1.2.3.4", []) == "10.0.0.1"


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_header_breaks_it(forwarded: str, x_forwarded_for: str) -> None:
    for header in (None, forwarded):
        found = client_address("10.0.0.1", header, x_forwarded_for, TRUSTED)
        assert ip_address(found)


@pytest.mark.parametrize(("peer", "seen"), [(PROXY, "198.51.100.7"), ("203.0.113.9", "203.0.113.9")])
async def test_sessions_show_the_address_behind_the_proxy(ann: Person, stack: Stack, peer: str, seen: str) -> None:
    async with (
        api_process(stack.settings, trusted_proxies=[f"{PROXY}/32"]) as process,
        process.client(address=peer) as api,
    ):
        body = {"email": ann.email, "password": ann.password}
        await api.post("/auth/login", json=body, headers={"x-forwarded-for": "8.8.8.8, 198.51.100.7"})
        sessions = (await api.get("/auth/sessions")).json()["items"]
    assert next(item for item in sessions if item["current"])["ip"] == seen


async def test_passwords_wait_in_a_bounded_queue(ann: Person, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "MAX_WAITING", 3)
    async with api_process(stack.settings, rate_limit_factor=1000.0) as process, process.client() as api:
        login = {"email": ann.email, "password": ann.password}
        answers = await asyncio.gather(*(api.post("/auth/login", json=login) for _ in range(30)))
        busy = [answer for answer in answers if answer.status_code == 503]
        assert busy, "more than can wait"
        assert {answer.status_code for answer in answers} == {200, 503}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in busy)
        assert (await api.post("/auth/login", json=login)).status_code == 200, "and then it goes on"
