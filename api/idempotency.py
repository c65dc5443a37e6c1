"""`Idempotency-Key`: unsafe requests that are sent again get the answer they got before."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from models import idempotency
from models.auth import Actor
from models.errors import Invalid

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_KEPT_HEADERS = ("content-type", "etag", "location")


class AnsweredBefore(Exception):
    """The request was answered before; carries the answer."""

    def __init__(self, answer: idempotency.Answer) -> None:
        super().__init__()
        self.answer = answer

    def response(self) -> Response:
        """The answer of then."""
        names_and_values = zip(_KEPT_HEADERS, self.answer.headers.split("\n"), strict=True)
        headers = {name: value for name, value in names_and_values if value}
        return Response(self.answer.body, self.answer.status, headers | {"idempotent-replayed": "true"})


async def take_key(request: Request, session: AsyncSession, actor: Actor) -> None:
    """Take the key of the request, if it brings one.

    Raises:
        AnsweredBefore: it has been answered.
    """
    key = request.headers.get("idempotency-key")
    if key is None or request.method in SAFE:
        return
    if not 1 <= len(key) <= 200:
        raise Invalid("An idempotency key has 1 to 200 characters.")
    # Not the host: whoever tries again may reach us by another name.
    target = f"{request.url.path}?{request.url.query}"
    content = (request.method.encode(), target.encode(), await request.body())
    answer = await idempotency.take(session, actor.user_id, key, idempotency.fingerprint(*content))
    if answer is not None:
        raise AnsweredBefore(answer)
    request.state.idempotency = (actor.user_id, key)


class IdempotentRoute(APIRoute):
    """A route that stores its answer under the request's key, in the request's transaction."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, and storing what it answered."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            response = await handler(request)
            taken: tuple[UUID, str] | None = getattr(request.state, "idempotency", None)
            if taken is not None:
                # The function-scoped session is still open here: it ends when this returns.
                headers = "\n".join(response.headers.get(name, "") for name in _KEPT_HEADERS)
                answer = idempotency.Answer(response.status_code, headers, bytes(response.body))
                await idempotency.keep(request.state.session, *taken, answer)
            return response

        return handle
