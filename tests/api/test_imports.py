"""Imports and archives over REST."""

import asyncio
import hashlib
import io
import zipfile
from typing import Any
from uuid import uuid4

import pytest

from tests.models.imports.zips import pack, word
from tests.people import Person


async def ended(person: Person, path: str) -> dict[str, Any]:
    """An import or export once it is over."""
    async with asyncio.timeout(90):
        while True:
            found: dict[str, Any] = await person.json("GET", path)
            if found["state"] in ("succeeded", "failed"):
                return found
            await asyncio.sleep(0.1)


async def test_a_file_becomes_a_document(ann: Person) -> None:
    path = f"/orgs/{ann.org['id']}/imports"
    headers = {"content-type": "text/markdown"}
    wish = await ann.json("POST", path, params={"file_name": "notes.md"}, content=b"# Notes\n\nhello", headers=headers)
    assert (wish["state"], wish["kind"], wish["sha256"]) == (
        "pending",
        "markdown",
        hashlib.sha256(b"# Notes\n\nhello").hexdigest(),
    )
    done = await ended(ann, f"/imports/{wish['id']}")
    [item] = done["items"]
    assert (done["state"], item["state"], item["path"]) == ("succeeded", "imported", "notes.md")
    answer = await ann.api.get(f"/documents/{item['document_id']}/content", headers={"accept": "text/markdown"})
    assert answer.text == "# Notes\n\nhello\n"
    assert (await ann.json("GET", f"/documents/{item['document_id']}"))["title"] == "Notes"


async def test_a_form_is_taken_as_well(ann: Person) -> None:
    files = {"file": ("all.zip", pack({"a.docx": word("A"), "b.md": "B"}), "application/zip")}
    wish = await ann.json("POST", f"/orgs/{ann.org['id']}/imports", files=files)
    assert (wish["kind"], wish["file_name"]) == ("zip", "all.zip")
    done = await ended(ann, f"/imports/{wish['id']}")
    assert [item["state"] for item in done["items"]] == ["imported", "imported"]


async def test_a_request_that_is_sent_again_imports_once(ann: Person) -> None:
    headers = {"content-type": "text/markdown", "idempotency-key": "once"}
    path = f"/orgs/{ann.org['id']}/imports"
    first, second = [await ann.json("POST", path, content=b"x", headers=headers) for _ in range(2)]
    assert first["id"] == second["id"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"content": b"x", "headers": {"content-type": "application/pdf"}}, 422),
        ({"content": b"x", "params": {"file_name": "x.exe"}}, 422),
        ({"content": bytes(33 * 1024 * 1024), "headers": {"content-type": "text/markdown"}}, 413),
        ({"files": {"file": ("x.md", bytes(33 * 1024 * 1024))}}, 413),
        ({"data": {"no": "file"}, "headers": {"content-type": "multipart/form-data; boundary=x"}}, 422),
    ],
)
async def test_what_cannot_be_imported_is_refused_at_once(ann: Person, request_: dict[str, Any], status: int) -> None:
    answer = await ann.api.post(f"/orgs/{ann.org['id']}/imports", **request_)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_imports_are_ones_own(ann: Person, bob: Person) -> None:
    headers = {"content-type": "text/markdown"}
    wish = await ann.json("POST", f"/orgs/{ann.org['id']}/imports", content=b"x", headers=headers)
    assert (await bob.api.get(f"/imports/{wish['id']}")).status_code == 404
    assert (await bob.api.get(f"/imports/{uuid4()}")).status_code == 404
    assert (await bob.api.post(f"/orgs/{ann.org['id']}/imports", content=b"x", headers=headers)).status_code == 404
    await ann.invite(bob)
    assert (await bob.api.get(f"/imports/{wish['id']}")).status_code == 404


async def test_an_organization_is_exported(ann: Person, bob: Person) -> None:
    path = f"/documents/{ann.document['id']}/content"
    await ann.json("PUT", path, content=b"hello", headers={"content-type": "text/markdown", "if-match": "*"})
    wish = await ann.json("POST", f"/orgs/{ann.org['id']}/exports", json={"format": "zip"})
    assert (wish["format"], wish["document_id"]) == ("archive", None)
    done = await ended(ann, f"/exports/{wish['id']}")
    assert (done["done"], done["total"]) == (1, 1)
    answer = await ann.api.get(done["download_url"])
    assert answer.headers["content-type"] == "application/zip"
    assert hashlib.sha256(answer.content).hexdigest() == done["sha256"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read(f"documents/{ann.document['id']}/document.md") == b"hello\n"
    assert (await bob.api.get(f"/exports/{wish['id']}")).status_code == 404
    await ann.invite(bob)
    assert (await bob.api.get(f"/exports/{wish['id']}")).status_code == 404
    assert (await bob.api.post(f"/orgs/{ann.org['id']}/exports")).status_code == 202


@pytest.mark.parametrize("format", ["pdf", "docx", "yjs"])
async def test_a_revision_is_exported(ann: Person, format: str) -> None:
    path = f"/documents/{ann.document['id']}"
    headers = {"content-type": "text/markdown", "if-match": "*"}
    await ann.json("PUT", f"{path}/content", content=b"then", headers=headers)
    await ann.json("POST", f"{path}/revisions", json={"name": "then"})
    await ann.json("PUT", f"{path}/content", content=b"now", headers=headers)
    wish = await ann.json("POST", f"{path}/exports", json={"format": format, "revision": 1})
    done = await ended(ann, f"/exports/{wish['id']}")
    assert (done["state"], done["seq"]) == ("succeeded", 1)
    answer = await ann.api.get(done["download_url"])
    start = {"pdf": b"%PDF", "docx": b"PK", "yjs": b"\1"}[format]
    assert answer.content.startswith(start)
    assert answer.headers["content-disposition"].endswith(f'.{format}"')
    if format == "docx":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert b"then" in archive.read("word/document.xml")
