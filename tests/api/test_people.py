"""`/auth/me`: one's data for oneself only, and leaving."""

import asyncio
import io
import zipfile

import httpx

from tests import mailbox
from tests.conftest import Stack
from tests.people import Person


async def test_personal_data_is_for_its_owner_only(ann: Person, bob: Person) -> None:
    asked = await ann.json("POST", "/auth/me/export")
    path = f"/auth/me/exports/{asked['id']}"
    async with asyncio.timeout(60):
        while (found := await ann.json("GET", path))["state"] == "pending":
            await asyncio.sleep(0.2)
    assert found["state"] == "succeeded", found
    assert found["download_url"].endswith(f"{path}/download")
    data = (await ann.api.get(f"{path}/download")).raise_for_status()
    assert data.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(data.content)) as archive:
        assert f"documents/Notes-{ann.document['id']}.md" in archive.namelist()
    for foreign in (path, f"{path}/download"):
        assert (await bob.api.get(foreign)).status_code == 404
    assert (await bob.json("GET", "/auth/me/exports"))["items"] == []
    assert [item["id"] for item in (await ann.json("GET", "/auth/me/exports"))["items"]] == [asked["id"]]


async def test_leaving_asks_who_it_is_and_signs_out_everywhere(stack: Stack, ann: Person) -> None:
    assert (await ann.api.request("DELETE", "/auth/me", json={"password": "not this one"})).status_code == 401
    assert (await ann.api.request("DELETE", "/auth/me", json={})).status_code in {401, 403}
    answer = await ann.api.request("DELETE", "/auth/me", json={"password": ann.password})
    assert answer.status_code == 202
    assert answer.json()["erased_after"]
    assert (await ann.api.get("/auth/me")).status_code == 401
    await mailbox.letter(stack, ann.email, "about to be deleted")
    async with httpx.AsyncClient(base_url=stack.api) as api:
        back = await api.post("/auth/login", json={"email": ann.email, "password": ann.password})
    assert back.status_code == 200


async def test_whoever_alone_owns_an_organization_with_others_is_told_which(ann: Person, bob: Person) -> None:
    await ann.invite(bob)
    answer = await ann.api.request("DELETE", "/auth/me", json={"password": ann.password})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:doxie:OwnsAlone")
    assert "Acme" in answer.json()["detail"]
    assert (await ann.api.get("/auth/me")).status_code == 200
