"""Addresses that browsers go to, not scripts: what goes wrong there is told on a page."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api.idempotency import IdempotentRoute
from models.errors import DoxieError


class JourneyRoute(IdempotentRoute):
    """A stage of a journey to a provider and back: browsers that go astray come out at `/sign-in?problem=…`.

    Whoever does not ask for HTML gets the problem document. The address names the error only; the page has the words,
    so that nobody can make up what it says.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, and the way out."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except DoxieError as error:
                if "text/html" not in request.headers.get("accept", ""):
                    raise
                where = "/sign-in?" + urlencode({"problem": type(error).__name__})
                return RedirectResponse(where, status_code=303, headers={"cache-control": "no-store"})

        return handle
