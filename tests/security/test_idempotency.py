"""The same request sent twice, at once, or changed meanwhile."""

import asyncio
from uuid import uuid4

from tests.people import Person


async def test_parallel_requests_with_one_key_have_one_effect(ann: Person) -> None:
    key = {"idempotency-key": str(uuid4())}
    path = f"/orgs/{ann.org['id']}/documents"

    async def create() -> tuple[int, str, bool]:
        answer = await ann.api.post(path, json={"title": "Once"}, headers=key)
        return answer.status_code, answer.json()["id"], "idempotent-replayed" in answer.headers

    answers = await asyncio.gather(*(create() for _ in range(8)))
    assert {(status, document) for status, document, _ in answers} == {(201, answers[0][1])}
    assert sorted(replayed for *_, replayed in answers) == [False] + [True] * 7
    titles = [item["title"] for item in (await ann.json("GET", path))["items"]]
    assert titles.count("Once") == 1


async def test_a_key_is_good_for_one_request(ann: Person) -> None:
    key = {"idempotency-key": str(uuid4())}
    path = f"/orgs/{ann.org['id']}/documents"
    assert (await ann.api.post(path, json={"title": "One"}, headers=key)).status_code == 201
    for method, other, body in (("POST", path, {"title": "Two"}), ("POST", "/orgs", {"name": "One"})):
        answer = await ann.api.request(method, other, json=body, headers=key)
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:doxie:KeyReused"


async def test_a_refused_request_uses_no_key_up(ann: Person) -> None:
    key = {"idempotency-key": str(uuid4())}
    assert (await ann.api.post("/orgs", json={"name": ""}, headers=key)).status_code == 422
    assert (await ann.api.post(f"/orgs/{uuid4()}/documents", json={"title": "X"}, headers=key)).status_code == 404
    assert (await ann.api.post("/orgs", json={"name": "Now"}, headers=key)).status_code == 201


async def test_keys_of_others_are_others(ann: Person, bob: Person) -> None:
    key = {"idempotency-key": str(uuid4())}
    made = [(await person.api.post("/orgs", json={"name": "Same"}, headers=key)).json() for person in (ann, bob)]
    assert made[0]["id"] != made[1]["id"]
    again = await bob.api.post("/orgs", json={"name": "Same"}, headers=key)
    assert again.json()["id"] == made[1]["id"]


async def test_keys_have_a_size(ann: Person) -> None:
    for key in ("", "x" * 201):
        answer = await ann.api.post("/orgs", json={"name": "X"}, headers={"idempotency-key": key})
        assert answer.status_code == 422
