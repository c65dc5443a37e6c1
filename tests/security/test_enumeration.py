"""Nobody learns who has an account: not by text, not by code, and not by what is done meanwhile."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from infra import hashing
from tests.conftest import Stack
from tests.people import Person
from tests.security.processes import Process, api_process

VARIES = ("instance", "request_id")


@pytest.fixture
async def process(stack: Stack) -> AsyncIterator[Process]:
    async with api_process(stack.settings, rate_limit_factor=1000.0, email_verification="required") as running:
        yield running


@pytest.fixture
def argon2(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is hashed or verified, in order: the dear work, whose time would tell."""
    done: list[str] = []

    def noted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any) -> Any:
            done.append(name)
            return work(*arguments)

        return wrapper

    monkeypatch.setattr(hashing, "_verify", noted("verify", hashing._verify))
    monkeypatch.setattr(hashing._hasher.__class__, "hash", noted("hash", hashing._hasher.__class__.hash))
    return done


def told(answer: httpx.Response) -> tuple[int, Any]:
    body = answer.json()
    return answer.status_code, {name: value for name, value in body.items() if name not in VARIES}


@pytest.mark.parametrize(
    ("path", "more", "work"),
    [
        ("/auth/login", {"password": "not the password"}, ["verify"]),
        ("/auth/register", {"password": "a good password indeed", "name": "X"}, ["hash"]),
        ("/auth/password/forgot", {}, []),
        ("/auth/verify-email/resend", {}, []),
    ],
)
async def test_who_is_there_and_who_is_not_look_the_same(
    ann: Person, process: Process, argon2: list[str], path: str, more: dict[str, str], work: list[str]
) -> None:
    answers, done, trips = [], [], []
    async with process.client() as api:
        for email in (ann.email, "nobody@example.com", ann.email.upper(), "else@example.com"):
            argon2.clear()
            before = process.postgres.trips
            answer = await api.post(path, json={"email": email, **more})
            trips.append(process.postgres.trips - before)
            answers.append(told(answer))
            done.append(list(argon2))
            assert email.lower() not in answer.text.lower()
    assert answers[1:] == answers[:1] * 3, "the same code and text"
    assert done == [work] * 4, "the same dear work"
    if path != "/auth/login":
        assert len(set(trips[1:])) == 1, f"the same questions to Postgres: {trips}"


async def test_inviting_does_not_tell_who_has_an_account(ann: Person, bob: Person) -> None:
    answers = []
    for email in (bob.email, "nobody-at-all@example.com"):
        invited = await ann.json("POST", f"/orgs/{ann.org['id']}/invitations", json={"email": email, "role": "member"})
        answers.append({name: type(value).__name__ for name, value in invited.items()})
    assert answers[0] == answers[1]
