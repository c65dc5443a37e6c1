"""What requests may carry: nothing but what a schema names, no more than fits, in no guise a form could have."""

import types
import typing
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from infra.settings import MIB
from tests import routes
from tests.conftest import Stack
from tests.people import Person
from tests.security.processes import api_process

SCHEMAS = sorted({body for route in routes.live() for body in route.bodies}, key=str)
OPEN = {"AuthenticatorResponse", "PasskeyCredential"}
"""What browsers make, and add to as the specification grows; what is not named is not looked at."""


def models_in(shape: Any) -> set[type[BaseModel]]:
    """A schema and every schema inside of it."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        inner = [models_in(field.annotation) for field in shape.model_fields.values()]
        return {shape}.union(*inner)
    if typing.get_origin(shape) in {list, dict, set, tuple, typing.Union, types.UnionType, typing.Annotated}:
        return set().union(*(models_in(argument) for argument in typing.get_args(shape)))
    return set()


@pytest.mark.parametrize("shape", SCHEMAS, ids=lambda shape: getattr(shape, "__name__", str(shape)))
def test_every_body_refuses_what_it_does_not_name(shape: Any) -> None:
    found = models_in(shape)
    assert found
    for model in found:
        if model.__name__ not in OPEN:
            assert model.model_config.get("extra") == "forbid", model.__name__


@pytest.mark.parametrize("extra", ["is_operator", "id", "org_id", "created_by", "role", "version", "__class__"])
async def test_fields_nobody_asked_for_change_nothing(ann: Person, extra: str) -> None:
    for method, path, body in (
        ("POST", "/orgs", {"name": "X"}),
        ("PATCH", f"/documents/{ann.document['id']}", {"title": "X"}),
        ("PATCH", "/auth/me", {"name": "X"}),
    ):
        answer = await ann.api.request(method, path, json=body | {extra: "owner"})
        assert answer.status_code == 422, (path, answer.text)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_form_of_another_site_has_no_way_in(ann: Person, stack: Stack, content_type: str) -> None:
    async with httpx.AsyncClient(base_url=stack.api) as browser:
        login = {"email": ann.email, "password": ann.password}
        await browser.post("/auth/login", json=login)
        headers = {"content-type": content_type, "sec-fetch-site": "none"}
        answer = await browser.post("/orgs", content=b'{"name": "X"}', headers=headers)
        assert answer.status_code == 415
        assert answer.headers["content-type"] == "application/problem+json"
        fine = await browser.post(
            "/orgs", content=b'{"name": "X"}', headers=headers | {"content-type": "application/json"}
        )
        assert fine.status_code == 201


async def test_a_body_has_an_end(ann: Person, stack: Stack) -> None:
    limit = 1 * MIB
    async with (
        api_process(stack.settings, max_content_bytes=limit, max_document_bytes=limit) as process,
        process.client(ann.api.headers) as api,
    ):
        said = await api.post("/orgs", json={"name": "x" * (limit + 1)})

        async def endless() -> Any:
            for _ in range(64):
                yield b" " * 65536

        unsaid = await api.post("/orgs", content=endless(), headers={"content-type": "application/json"})
        text = await api.post("/orgs", content=b"x" * (limit + 1), headers={"content-type": "text/plain"})
    assert [answer.status_code for answer in (said, unsaid, text)] == [413, 413, 413]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
async def test_text_that_postgres_cannot_hold_is_refused(ann: Person, text: str) -> None:
    import json

    content = json.dumps({"name": text}).encode()
    answer = await ann.api.post("/orgs", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"name": ' + b"[" * 100_000, b"\xff\xfe", b'{"name": 1e999}']
)
async def test_what_is_no_json_is_refused(ann: Person, body: bytes) -> None:
    answer = await ann.api.post("/orgs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
