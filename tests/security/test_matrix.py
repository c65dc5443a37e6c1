"""Tenants never meet: every route, for everybody, with every id and every pair of ids."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import httpx
import pytest

from api.main import create_app
from infra.db import Database
from tests import routes
from tests.conftest import Stack
from tests.people import sign_up
from tests.routes import Route
from tests.security import matrix
from tests.security.cast import Actor, Cast, assembled
from tests.security.matrix import ROWS, Combination, Row

AT_ONCE = 8
VARIES = ("instance", "request_id")

ROUTES = sorted(routes.live(), key=lambda route: (ROWS[route.name].order if route.name in ROWS else 0, route.name))
asked: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    problem: str
    """The problem document without what names the request, as text; empty where it is none."""
    text: str


@pytest.fixture(scope="module")
async def cast(stack: Stack, owner_db: Database) -> AsyncIterator[Cast]:
    async with assembled(stack.api, owner_db) as everybody:
        yield everybody


@pytest.fixture(scope="module")
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(stack.settings.model_copy(update={"rate_limit_factor": 1000.0}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=stack.settings.public_url) as client:
            # It speaks for everybody in turn: what one is given must not stick to the next.
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            yield client


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert {route.name for route in routes.live()} == set(ROWS)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_who_may(route: Route, cast: Cast, http: httpx.AsyncClient) -> None:
    row = ROWS[route.name]
    limit = asyncio.Semaphore(AT_ONCE)

    async def ask(actor: Actor, combination: Combination) -> tuple[Actor, Combination, Answer]:
        async with limit:
            return actor, combination, await send(http, route, row, cast, actor, combination)

    cells = [
        (actor, combination)
        for actor in (cast.actors if row.least != "anybody" else cast.actors[:1])
        for combination in matrix.combinations(route, cast, actor)
        if matrix.expected(row, actor, combination) is not None or may_try(route, row)
    ]
    answers = await asyncio.gather(*(ask(*cell) for cell in cells))
    asked[route.name] = len(answers)
    wrong = []
    for actor, combination, answer in answers:
        right = matrix.expected(row, actor, combination) or row.ok
        if answer.status not in right:
            wrong.append(f"{actor.name} {combination}: {answer.status} instead of {sorted(right)}: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)
    foreign_looks_missing({(actor, combination): answer for actor, combination, answer in answers})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_whoever_may_can(route: Route, cast: Cast, http: httpx.AsyncClient, stack: Stack) -> None:
    """Or the refusals would prove nothing: the same requests, with the same ids, by whoever may."""
    row = ROWS[route.name]
    if row.least == "ticket" or row.endless:
        pytest.skip("tested where the ticket is made" if row.least == "ticket" else "its answer does not end")
    combination = ("A",) * len(matrix.parameters(route))
    if row.least == "person" and not combination:
        async with sign_up(stack.api, "Self") as somebody:
            actor = Actor("somebody", {"authorization": somebody.api.headers["authorization"]})
            answer = await send(http, route, row, cast, actor, combination)
    else:
        # What everybody may, nobody in particular does: logging out would end what the others need.
        actor = cast.actors[0] if row.least == "anybody" else cast.actor("owner")
        answer = await send(http, route, row, cast, actor, combination)
    asked[route.name] += 1
    assert answer.status in row.ok, answer.text


def test_the_size_of_the_matrix(record_property: Callable[[str, object], None], cast: Cast) -> None:
    size = {"routes": len(asked), "actors": len(cast.actors), "requests": sum(asked.values())}
    for name, number in size.items():
        record_property(name, number)
    print(f"\nthe matrix: {size}")


def may_try(route: Route, row: Row) -> bool:
    """What changes nothing everybody tries who may; what does is for `test_whoever_may_can`."""
    return route.method == "GET" and row.least != "anybody" and not row.endless


async def send(
    http: httpx.AsyncClient, route: Route, row: Row, cast: Cast, actor: Actor, combination: Combination
) -> Answer:
    """One request of the matrix."""
    content = row.content(cast)
    content["headers"] |= actor.headers
    response = await http.request(route.method, matrix.path(route, cast, combination) + row.query, **content)
    assert response.status_code < 500, response.text
    problem = ""
    if response.headers.get("content-type") == "application/problem+json":
        document = response.json()
        problem = json.dumps({name: value for name, value in document.items() if name not in VARIES})
    return Answer(response.status_code, problem, response.text)


def foreign_looks_missing(answers: dict[tuple[Actor, Combination], Answer]) -> None:
    """Nobody can tell what is another tenant's from what does not exist."""
    for (actor, combination), answer in answers.items():
        for place, whose in enumerate(combination):
            own = whose == actor.tenant and (whose == "B" or actor.org is not None)
            if answer.status != 404 or whose == "missing" or own:
                continue
            missing = (*combination[:place], "missing", *combination[place + 1 :])
            other = answers.get((actor, missing))
            if other is not None and other.status == 404:
                assert answer.problem == other.problem, (actor.name, combination)
