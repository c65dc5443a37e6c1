"""Content in the formats people and programs use, by media type."""

import json
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException

from infra import bigstack
from infra.storage import ObjectStore
from models import content, revisions
from models.content import ContentError
from models.documents import crdt
from models.errors import Invalid
from models.orgs import OrgScope

READABLE: dict[str, Callable[[crdt.YDoc], str]] = {
    "text/markdown": content.to_markdown,
    "application/json": lambda doc: json.dumps(content.to_prosemirror(doc), ensure_ascii=False, sort_keys=True),
    "text/html": content.to_html,
}

RESPONSES: dict[int | str, dict[str, Any]] = {200: {"content": {media_type: {} for media_type in READABLE}}}
"""What the OpenAPI document says of reading content."""


def negotiate(accept: str, media_types: Collection[str] = READABLE) -> str:
    """The best of some media types for an Accept header; the first where anything goes.

    Raises:
        HTTPException: 406, it names none of them.
    """
    wanted = sorted(map(_weighted, accept.split(",")), key=lambda pair: -pair[1])
    for pattern, weight in wanted:
        for media_type in media_types:
            if weight > 0 and pattern in (media_type, media_type.split("/", maxsplit=1)[0] + "/*", "*/*"):
                return media_type
    raise HTTPException(406, f"The content comes as {', '.join(media_types)}.")


async def respond(
    session: AsyncSession, scope: OrgScope, store: ObjectStore, document_id: UUID, seq: int, *, accept: str
) -> Response:
    """The content of a document after an update, in the best format for an Accept header."""
    media_type = negotiate(accept)
    loaded = await revisions.load_at(session, scope, store, document_id, seq)
    text = await bigstack.run(lambda: READABLE[media_type](crdt.build(loaded.updates)))
    return Response(text, media_type=media_type, headers={"vary": "accept"})


def parse(content_type: str, body: bytes) -> Callable[[Sequence[bytes]], bytes]:
    """What turns a document, given as updates, into this content: the update to add.

    Raises:
        HTTPException: 415, neither Markdown nor JSON.
        Invalid: not well-formed.
    """
    try:
        text = body.decode()
        match content_type.partition(";")[0].strip().lower():
            case "text/markdown":
                return partial(_rewrite, partial(content.write_markdown, source=text))
            case "application/json":
                target = content.validate_prosemirror(json.loads(text))
                return partial(_rewrite, partial(content.replace, target=target))
            case _:
                raise HTTPException(415, "Send text/markdown or application/json (ProseMirror).")
    except (ContentError, ValueError, RecursionError) as error:
        raise Invalid(f"The content is malformed: {error}") from error


def _rewrite(write: Callable[[crdt.YDoc], None], updates: Sequence[bytes]) -> bytes:
    doc = crdt.build(updates)
    return crdt.change(doc, lambda: write(doc))


def _weighted(part: str) -> tuple[str, float]:
    media_type, *parameters = (piece.strip() for piece in part.split(";"))
    weights = [piece[2:] for piece in parameters if piece.startswith("q=")]
    try:
        return media_type.lower(), float(weights[0]) if weights else 1.0
    except ValueError:
        return media_type.lower(), 0.0
