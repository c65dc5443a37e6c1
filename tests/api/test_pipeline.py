"""An organization's ledger over HTTP: what was done, what waits for somebody, and doing a range again."""

import asyncio
from typing import Any

from tests.people import Pen, Person


async def steps(person: Person, **wanted: Any) -> list[dict[str, Any]]:
    answer = await person.json("GET", f"/orgs/{person.org['id']}/pipeline", params=wanted)
    items: list[dict[str, Any]] = answer["items"]
    return items


async def indexed(person: Person, count: int) -> list[dict[str, Any]]:
    """Wait until so many documents are indexed."""
    async with asyncio.timeout(60):
        while len(found := await steps(person, step="index", state="succeeded")) < count:
            await asyncio.sleep(0.1)
    return found


async def test_the_ledger_of_an_organization(ann: Person, bob: Person) -> None:
    first = ann.document["id"]
    await ann.save(Pen().write("one"))
    second = (await ann.create_document())["id"]
    await ann.save(Pen().write("two"))
    done = await indexed(ann, 2)
    assert {step["document_id"] for step in done} == {first, second}
    assert {step["step"] for step in await steps(ann, document_id=first)} == {"fold", "store", "index"}
    assert await steps(ann, state="set_aside") == []
    assert await steps(ann, until=done[-1]["started_at"], step="index") == []
    assert len(await steps(ann, limit=2)) == 2

    path = f"/orgs/{ann.org['id']}/pipeline/replay"
    again = await ann.json("POST", path, json={"step": "index", "since": done[-1]["started_at"]})
    assert again == {"subjects": 2, "state": "queued"}
    await indexed(ann, 4)

    assert (await bob.api.get(f"/orgs/{ann.org['id']}/pipeline")).status_code == 404
    await ann.invite(bob)
    assert (await bob.api.get(f"/orgs/{ann.org['id']}/pipeline")).status_code == 403
    assert (await bob.api.post(path, json={})).status_code == 403
    assert (await ann.api.post(path, json={"state": "nonsense"})).status_code == 422
    assert (await ann.api.post(path, json={"unknown": 1})).status_code == 422
